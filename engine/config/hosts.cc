// hosts.json, key by key, and the checks that only its meaning gives.
//
// Ids, users and addresses end up in argument vectors, container ids and file names, so what could be mistaken for an
// option or a separator is refused here, before anything is built from it. Must not know labs beyond their names.
#include "engine/config/hosts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "engine/config/document.h"
#include "engine/config/fields.h"
#include "engine/config/ssh_options.h"
#include "graph/base/text.h"

namespace otto::config {

namespace fs = std::filesystem;

namespace {

constexpr std::array<FieldSpec, 17> kHostFields = {{
    {"ne", R"("pepper")"},
    {"board", R"("seed")"},
    {"neId", "1"},
    {"slot", "2"},
    {"ip", R"("192.0.2.7")"},
    {"creds", R"({"root": "password"})"},
    {"docker_capable", "true"},
    {"labs", R"(["veggies"])"},
    {"hop", R"("jump")"},
    {"user", R"("root")"},
    {"term", R"("ssh")"},
    {"transfer", R"("scp")"},
    {"ssh_options", R"({"port": 22})"},
    {"telnet_options", R"({"port": 23})"},
    {"docker_command", R"(["sudo", "-n", "docker"])"},
    {"password_env", R"("LAB_PASSWORD")"},
    {"stage_dir", R"("/var/tmp/otto")"},
}};

constexpr std::string_view kIdCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

bool is_variable(std::string_view name) {
  return !name.empty() && (name.front() < '0' || name.front() > '9') &&
         name.find_first_not_of(kNameCharacters) == std::string_view::npos;
}

/// A part of the id: a string or, where `numbers` may stand, a whole number.
Result<std::string> read_id_part(const Fields& fields, std::string_view key, bool numbers) {
  const Member* member = fields.find(key);
  if (member == nullptr) return std::string();
  const Node& node = member->value;
  if (numbers && node.kind == Kind::kInteger) {
    if (node.integer < 0) return fields.error(key, node.at, fmt::format("cannot be {}", node.integer));
    return std::to_string(node.integer);
  }
  if (numbers && node.kind != Kind::kString) {
    return fields.error(key, node.at, "must be a whole number or a string");
  }
  OTTO_TRY(std::string part, fields.text_of(key, node));
  const std::size_t bad = part.find_first_not_of(kIdCharacters);
  if (bad != std::string::npos || part.front() == '-') {
    const std::string_view why =
        bad == std::string::npos ? "begins with '-'" : "holds more than ASCII letters, digits, '_' and '-'";
    return fields.error(
        key, node.at, fmt::format("cannot be '{}': it {}", one_line(part), why),
        "host ids stand in command lines and before the '.' of container ids; rename it, e.g. with '_'");
  }
  return part;
}

/// `ne`, then `_board`, then `_neId`/`_slot` where set (docs/configuration.md).
Result<std::string> read_id(const Fields& fields) {
  OTTO_RETURN_IF_ERROR(fields.required_text("ne"));
  OTTO_TRY(std::string id, read_id_part(fields, "ne", false));
  for (const auto& [key, numbers] : {std::pair("board", false), std::pair("neId", true), std::pair("slot", true)}) {
    OTTO_TRY(const std::string part, read_id_part(fields, key, numbers));
    if (!part.empty()) id += "_" + part;
  }
  return text::to_lower(id);
}

/// A user's name or an address, safe in an argument vector.
Result<std::optional<std::string>> read_word(const Fields& fields, std::string_view key) {
  OTTO_TRY(auto word, fields.text(key));
  if (!word) return word;
  if (const std::string why = unfit_for_argv(*word); !why.empty()) {
    return fields.error(key, fields.where(key), fmt::format("cannot be '{}': it {}", one_line(*word), why));
  }
  return word;
}

Result<std::string> read_address(const Fields& fields, transport::Protocol term) {
  OTTO_TRY(const auto ip, read_word(fields, "ip"));
  if (!ip) {
    if (term == transport::Protocol::kLocal) return std::string();
    OTTO_TRY(Located missing, fields.required_text("ip"));
    return missing.text;
  }
  const auto refuse = [&](std::string hint) {
    return fields.error("ip", fields.where("ip"), fmt::format("cannot be '{}': it is an address or a name only", *ip),
                        std::move(hint));
  };
  if (const std::size_t user = ip->find('@'); user != std::string::npos) {
    return refuse(fmt::format(R"(write "ip": "{}" and "user": "{}")", ip->substr(user + 1), ip->substr(0, user)));
  }
  if (ip->front() == '[' || ip->find('/') != std::string::npos)
    return refuse("write it without brackets, '/' or scheme");
  const std::size_t colon = ip->find(':');
  if (colon != std::string::npos && ip->find(':', colon + 1) == std::string::npos) {
    return refuse(fmt::format(R"(write "ip": "{}" and "{}_options": {{"port": {}}})", ip->substr(0, colon),
                              term == transport::Protocol::kTelnet ? "telnet" : "ssh", ip->substr(colon + 1)));
  }
  return *ip;
}

Result<void> read_creds(const Fields& fields, HostEntry& host) {
  OTTO_TRY(const Node* const creds, fields.table("creds"));
  if (creds == nullptr) return {};
  for (const auto& [user, at, password] : creds->members) {
    const std::string why = user.empty() ? "is empty" : unfit_for_argv(user);
    if (!why.empty()) {
      return fields.error("creds", at, fmt::format("cannot have the user '{}': the name {}", one_line(user), why));
    }
    std::optional<std::string> secret;
    if (password.kind == Kind::kString) {
      if (password.text.find_first_of(std::string_view("\0\n\r", 3)) != std::string::npos) {
        return fields.error("creds", password.at, fmt::format("gives '{}' a password with a line break or NUL", user));
      }
      if (!password.text.empty()) secret = password.text;
    } else if (password.kind != Kind::kNull) {
      return fields.error("creds", password.at,
                          fmt::format("must give '{}' a password or null, not {}", one_line(user),
                                      kind_name(password.kind, Format::kJson)));
    }
    host.creds.emplace_back(user, std::move(secret));
  }
  return {};
}

Result<void> read_login(const Fields& fields, HostEntry& host) {
  OTTO_RETURN_IF_ERROR(read_creds(fields, host));
  OTTO_TRY(host.user, read_word(fields, "user"));
  OTTO_TRY(host.password_env, fields.text("password_env"));
  if (host.password_env) {
    const std::string& name = *host.password_env;
    if (!is_variable(name)) {
      const bool reference = name.front() == '$' && is_variable(std::string_view(name).substr(1));
      return fields.error("password_env", fields.where("password_env"),
                          reference ? fmt::format("cannot be '{}': it is the variable's name, without '$'", name)
                                    : std::string("is not the name of an environment variable"));
    }
  }
  OTTO_TRY(const Node* const ssh, fields.table("ssh_options"));
  if (ssh != nullptr) {
    OTTO_TRY(host.ssh_options, read_ssh_options(fields.source(), *ssh, "in ssh_options"));
  }
  OTTO_TRY(const Node* const telnet, fields.table("telnet_options"));
  if (telnet != nullptr) {
    OTTO_TRY(host.telnet_options, read_telnet_options(fields.source(), *telnet, "in telnet_options"));
  }
  return {};
}

Result<void> read_labs(const Fields& fields, HostEntry& host) {
  OTTO_TRY(auto labs, fields.texts("labs"));
  if (!labs) return {};
  for (Located& lab : *labs) {
    const bool comma = lab.text.find(',') != std::string::npos;
    if (const std::string why = comma ? "must hold no ','" : unfit_for_argv(lab.text); !why.empty()) {
      return fields.error("labs", lab.at, fmt::format("cannot name a lab '{}': it {}", one_line(lab.text), why),
                          "labs are chosen by --lab NAME,NAME; rename it, e.g. with '_'");
    }
    host.labs.push_back(std::move(lab.text));
  }
  return {};
}

Result<void> read_host_docker(const Fields& fields, HostEntry& host) {
  OTTO_TRY(const auto capable, fields.boolean("docker_capable"));
  host.docker_capable = capable.value_or(false);
  OTTO_TRY(host.docker_command, fields.words("docker_command"));
  OTTO_TRY(host.stage_dir, fields.text("stage_dir"));
  if (!host.stage_dir) return {};
  const std::string& directory = *host.stage_dir;
  const bool controls = std::any_of(directory.begin(), directory.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (directory.front() == '/' && !controls) return {};
  return fields.error("stage_dir", fields.where("stage_dir"),
                      fmt::format("cannot be '{}': it is an absolute path on the host", one_line(directory)));
}

SourceLocation host_location(const Source& source, Position at) { return {source.file, at.line, at.column}; }

Result<HostEntry> read_host(const Source& source, const Node& node) {
  static const std::vector<std::string> kTerms = {"local", "ssh", "telnet"};
  static const std::vector<std::string> kTransfers = {"scp", "sftp", "ftp", "nc"};
  const Fields fields(source, node, "of a host", kHostFields);
  OTTO_RETURN_IF_ERROR(fields.check());
  HostEntry host;
  host.where = host_location(source, node.at);
  OTTO_TRY(host.id, read_id(fields));
  OTTO_TRY(const auto term, fields.choice("term", kTerms));
  if (term) host.term = static_cast<transport::Protocol>(*term);
  OTTO_TRY(host.ip, read_address(fields, host.term));
  OTTO_RETURN_IF_ERROR(read_login(fields, host));
  OTTO_TRY(const auto hop, fields.text("hop"));
  if (hop) {
    host.hop = text::to_lower(*hop);
    host.hop_where = host_location(source, fields.where("hop"));
  }
  OTTO_TRY(const auto transfer, fields.choice("transfer", kTransfers));
  if (transfer) host.transfer = kTransfers[*transfer];
  OTTO_RETURN_IF_ERROR(read_host_docker(fields, host));
  OTTO_RETURN_IF_ERROR(read_labs(fields, host));
  return host;
}

/// A file that holds passwords and that others can read.
void warn_of_readers(const fs::path& file, const std::vector<HostEntry>& hosts, std::vector<std::string>& warnings) {
  const bool secrets = std::any_of(hosts.begin(), hosts.end(), [](const HostEntry& host) {
    return std::any_of(host.creds.begin(), host.creds.end(), [](const auto& cred) { return cred.second.has_value(); });
  });
  std::error_code failure;
  const fs::perms mode = fs::status(file, failure).permissions();
  if (!secrets || failure || (mode & (fs::perms::group_read | fs::perms::others_read)) == fs::perms::none) return;
  warnings.push_back(fmt::format(
      "{} holds passwords and can be read by others (mode {:04o}); chmod 600 it, or use keys or password_env",
      file.string(), static_cast<unsigned>(mode) & 07777));
}

Error not_an_array(const Source& source, const Node& document) {
  const bool wrapped = std::any_of(document.members.begin(), document.members.end(), [](const Member& member) {
    return member.key == "hosts" && member.value.kind == Kind::kArray;
  });
  return error_at(source, document.at, "expected an array of hosts, not an object",
                  wrapped ? R"(put the array of "hosts" itself at the top: [{"ne": …}, …])"
                          : R"(put the host into brackets: [{"ne": …}])");
}

}  // namespace

Result<std::vector<HostEntry>> parse_hosts(const fs::path& file, std::string text) {
  std::error_code ignored;
  const Source source{file.string(), Format::kJson, fs::absolute(file, ignored).parent_path(), std::nullopt};
  std::vector<HostEntry> hosts;
  OTTO_TRY(const Node document, parse_json(source, std::move(text), [&](const Node& item) -> Result<void> {
             OTTO_TRY(hosts.emplace_back(), read_host(source, item));
             return {};
           }));
  if (document.kind != Kind::kArray) return not_an_array(source, document);
  return hosts;
}

Result<std::vector<HostEntry>> load_hosts(const fs::path& file, std::vector<std::string>& warnings) {
  OTTO_TRY(std::string text, read_document(file));
  OTTO_TRY(std::vector<HostEntry> hosts, parse_hosts(file, std::move(text)));
  warn_of_readers(file, hosts, warnings);
  return hosts;
}

}  // namespace otto::config
