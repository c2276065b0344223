// settings.toml, key by key: each table's keys with an example, then the checks that only its meaning gives.
//
// Names are checked against what Docker takes as a repository component (distribution's reference grammar:
// path-component) before anything is built under them. Must not know TOML beyond the tree of document.h.
#include "engine/config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "engine/config/document.h"
#include "engine/config/fields.h"
#include "engine/config/ssh_options.h"
#include "graph/base/text.h"

namespace otto::config {

namespace fs = std::filesystem;

namespace {

constexpr std::array<FieldSpec, 8> kTopFields = {{
    {"name", R"("repo1")"},
    {"version", R"("1.0")"},
    {"labs", R"(["${sutDir}/lab"])"},
    {"libs", R"(["${sutDir}/lib"])"},
    {"init", R"(["instructions"])"},
    {"default_lab", R"("veggies")"},
    {"host_defaults", "[host_defaults]"},
    {"docker", "[docker]"},
}};
constexpr std::array<FieldSpec, 1> kHostDefaultsFields = {{{"ssh_options", "[host_defaults.ssh_options]"}}};
constexpr std::array<FieldSpec, 5> kDockerFields = {{
    {"registry_url", R"("docker.io")"},
    {"command", R"(["sudo", "-n", "docker"])"},
    {"track_base", "true"},
    {"images", "[[docker.images]]"},
    {"composes", "[[docker.composes]]"},
}};
constexpr std::array<FieldSpec, 7> kImageFields = {{
    {"name", R"("api")"},
    {"dockerfile", R"("${sutDir}/docker/api.Dockerfile")"},
    {"context", R"("${sutDir}/docker")"},
    {"build_args", R"({ VERSION = "1.2.3" })"},
    {"target", R"("prod")"},
    {"platform", R"("linux/arm64")"},
    {"track_base", "true"},
}};
constexpr std::array<FieldSpec, 3> kComposeFields = {{
    {"path", R"("${sutDir}/docker/compose.yml")"},
    {"default_host", R"("pepper_seed")"},
    {"services", R"(["api", "db"])"},
}};

constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kLongestName = 100;

/// The nearest name that Docker would take, for the hint; empty where nothing is left.
std::string repaired_component(std::string_view name) {
  std::string repaired;
  for (const char c : text::to_lower(name)) {
    const bool good = kAlphanumeric.find(c) != std::string_view::npos;
    if (good) repaired += c;
    if (!good && !repaired.empty() && repaired.back() != '-')
      repaired += c == '_' && repaired.back() != '_' ? '_' : '-';
  }
  while (!repaired.empty() && (repaired.back() == '-' || repaired.back() == '_')) repaired.pop_back();
  return is_repository_component(repaired) ? repaired : std::string();
}

Result<void> check_component(const Fields& fields, const Located& name, std::string_view candidate) {
  if (candidate.size() > kLongestName) {
    return fields.error("name", name.at, fmt::format("is {} characters long", candidate.size()),
                        fmt::format("Docker's tags leave room for {}", kLongestName));
  }
  if (is_repository_component(candidate)) return {};
  const std::string repaired = repaired_component(candidate);
  return fields.error("name", name.at,
                      fmt::format("cannot be '{}': Docker could not take it in a tag", one_line(name.text)),
                      fmt::format("use lower-case letters and digits, joined by '.', '_' or '-'{}",
                                  repaired.empty() ? "" : fmt::format(": '{}'", repaired)));
}

std::vector<std::string> plain(std::optional<std::vector<Located>> located) {
  std::vector<std::string> texts;
  if (!located) return texts;
  for (Located& each : *located) texts.push_back(std::move(each.text));
  return texts;
}

SourceLocation location(const Source& source, Position at) { return {source.file, at.line, at.column}; }

Result<std::map<std::string, std::string>> read_build_args(const Fields& image) {
  static constexpr std::string_view kKey = "build_args";
  std::map<std::string, std::string> args;
  OTTO_TRY(const Node* const table, image.table(kKey));
  if (table == nullptr) return args;
  for (const auto& [name, at, value] : table->members) {
    const bool named = !name.empty() && name.find('=') == std::string::npos && unfit_for_argv(name).empty();
    if (!named) return image.error(kKey, at, fmt::format("cannot name an argument '{}'", one_line(name)));
    std::string text = value.text;
    if (value.kind == Kind::kString) {
      if (!text.empty()) {
        OTTO_TRY(text, image.text_of(kKey, value));
      }
    } else if (value.kind != Kind::kInteger && value.kind != Kind::kBoolean) {
      return image.error(
          kKey, value.at,
          fmt::format("must give '{}' a string, not {}", one_line(name), kind_name(value.kind, image.source().format)),
          value.kind == Kind::kFloat
              ? fmt::format("write {} as a string, in quotes: as a float, 1.10 would be 1.1", name)
              : image.remedy(kKey));
    }
    args.emplace(name, std::move(text));
  }
  return args;
}

Result<void> check_platform(const Fields& image, const std::string& platform) {
  const std::vector<std::string> parts = text::split(platform, '/');
  const bool good = parts.size() <= 3 && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
                      return !part.empty() && part.front() != '-' && std::all_of(part.begin(), part.end(), [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                               c == '-' || c == '.';
                      });
                    });
  if (good) return {};
  return image.error("platform", image.where("platform"),
                     fmt::format("cannot be '{}': it is one os/arch or os/arch/variant", one_line(platform)));
}

Result<ImageSettings> read_image(const Source& source, const Node& table, const Settings& settings) {
  const Fields fields(source, table, "in [[docker.images]]", kImageFields);
  OTTO_RETURN_IF_ERROR(fields.check());
  ImageSettings image;
  image.where = location(source, table.at);
  OTTO_TRY(const Located name, fields.required_text("name"));
  OTTO_RETURN_IF_ERROR(check_component(fields, name, name.text));
  image.name = name.text;
  OTTO_TRY(image.dockerfile, fields.required_path("dockerfile", PathKind::kFile));
  OTTO_TRY(image.context, fields.required_path("context", PathKind::kDirectory));
  OTTO_TRY(image.build_args, read_build_args(fields));
  OTTO_TRY(image.target, fields.text("target"));
  if (image.target && !unfit_for_argv(*image.target).empty()) {
    return fields.error("target", fields.where("target"), unfit_for_argv(*image.target));
  }
  OTTO_TRY(image.platform, fields.text("platform"));
  if (image.platform) OTTO_RETURN_IF_ERROR(check_platform(fields, *image.platform));
  OTTO_TRY(const auto track_base, fields.boolean("track_base"));
  image.track_base = track_base.value_or(settings.track_base);
  return image;
}

Result<ComposeSettings> read_compose(const Source& source, const Node& table) {
  static constexpr std::string_view kServiceCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const Fields fields(source, table, "in [[docker.composes]]", kComposeFields);
  OTTO_RETURN_IF_ERROR(fields.check());
  ComposeSettings compose;
  compose.where = location(source, table.at);
  OTTO_TRY(compose.path, fields.required_path("path", PathKind::kFile));
  OTTO_TRY(const auto host, fields.text("default_host"));
  if (host) {
    if (const std::string why = unfit_for_argv(*host); !why.empty()) {
      return fields.error("default_host", fields.where("default_host"), why);
    }
    compose.default_host = text::to_lower(*host);
  }
  OTTO_TRY(auto services, fields.texts("services"));
  for (const Located& service : services.value_or(std::vector<Located>())) {
    if (service.text.find_first_not_of(kServiceCharacters) == std::string::npos && service.text[0] != '-') continue;
    return fields.error("services", service.at, fmt::format("cannot name a service '{}'", one_line(service.text)),
                        "Compose's service names are letters, digits, '.', '_' and '-'");
  }
  compose.services = plain(std::move(services));
  return compose;
}

Result<std::string> read_registry(const Fields& docker) {
  OTTO_TRY(auto registry, docker.text("registry_url"));
  if (!registry) return std::string("docker.io");
  const std::string written = *registry;
  while (registry->ends_with('/')) registry->pop_back();
  const auto refuse = [&](std::string_view what, std::string hint) {
    return docker.error("registry_url", docker.where("registry_url"),
                        fmt::format("cannot be '{}': {}", one_line(written), what), std::move(hint));
  };
  if (const std::size_t scheme = registry->find("://"); scheme != std::string::npos) {
    return refuse("Docker's registries are named without a scheme",
                  fmt::format("write registry_url = \"{}\"", registry->substr(scheme + 3)));
  }
  const std::size_t slash = std::min(registry->find('/'), registry->size());
  const std::string host = registry->substr(0, slash);
  const bool good_host =
      !host.empty() && host.front() != '-' &&
      text::to_lower(host).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == std::string::npos;
  if (!good_host) return refuse("this names no host", docker.remedy("registry_url"));
  if (slash < registry->size()) {
    for (const std::string& part : text::split(registry->substr(slash + 1), '/')) {
      if (!is_repository_component(part)) {
        return refuse(fmt::format("Docker takes no '{}' in a tag", one_line(part)),
                      "use host[:port][/path], the path in lower case");
      }
    }
  }
  return *registry;
}

Result<void> read_docker_table(const Source& source, const Node& table, Settings& settings) {
  const Fields fields(source, table, "in [docker]", kDockerFields);
  OTTO_RETURN_IF_ERROR(fields.check());
  OTTO_TRY(settings.registry_url, read_registry(fields));
  OTTO_TRY(auto command, fields.words("command"));
  if (command) settings.docker_command = std::move(*command);
  OTTO_TRY(const auto track_base, fields.boolean("track_base"));
  settings.track_base = track_base.value_or(false);
  OTTO_TRY(const auto images, fields.tables("images"));
  for (const Node& each : images) {
    OTTO_TRY(ImageSettings image, read_image(source, each, settings));
    const auto same = std::find_if(settings.images.begin(), settings.images.end(),
                                   [&](const ImageSettings& other) { return other.name == image.name; });
    if (same != settings.images.end()) {
      return error_at(source, Fields(source, each, "", kImageFields).where("name"),
                      fmt::format("two images are named '{}', the first at line {}", image.name, same->where.line),
                      "give one of them another name");
    }
    settings.images.push_back(std::move(image));
  }
  OTTO_TRY(const auto composes, fields.tables("composes"));
  for (const Node& each : composes) {
    OTTO_TRY(ComposeSettings compose, read_compose(source, each));
    for (const ComposeSettings& other : settings.composes) {
      if (other.path != compose.path || other.default_host != compose.default_host) continue;
      return error_at(source, each.at,
                      fmt::format("{} is declared twice, first at line {}", compose.path.string(), other.where.line),
                      "keep one of the two");
    }
    settings.composes.push_back(std::move(compose));
  }
  return {};
}

Result<void> read_name(const Fields& fields, Settings& settings) {
  OTTO_TRY(const Located name, fields.required_text("name"));
  settings.title = name.text;
  settings.name = text::to_lower(name.text);
  return check_component(fields, name, settings.name);
}

Result<void> read_directories(const Fields& fields, Settings& settings) {
  OTTO_TRY(const auto libs, fields.paths("libs", PathKind::kDirectory));
  for (const auto& [path, at] : libs) settings.libs.push_back(path);
  OTTO_TRY(const auto labs, fields.paths("labs", PathKind::kDirectory));
  for (const auto& [path, at] : labs) {
    std::error_code ignored;
    if (!fs::exists(path / "hosts.json", ignored)) {
      return fields.error("labs", at, fmt::format("names {}, which holds no hosts.json", one_line(path.string())),
                          "a lab's directory holds a hosts.json; create it, or name another directory");
    }
    settings.labs.push_back(path);
  }
  return {};
}

Result<void> read_top(const Source& source, const Node& document, Settings& settings) {
  const Fields fields(source, document, std::string(kTopLevel), kTopFields);
  OTTO_RETURN_IF_ERROR(fields.check());
  OTTO_RETURN_IF_ERROR(read_name(fields, settings));
  OTTO_TRY(const auto version, fields.text("version"));
  settings.version = version.value_or("");
  OTTO_RETURN_IF_ERROR(read_directories(fields, settings));
  OTTO_TRY(auto init, fields.texts("init"));
  settings.init = plain(std::move(init));
  OTTO_TRY(settings.default_lab, fields.text("default_lab"));
  settings.default_lab_where = location(source, fields.where("default_lab"));
  OTTO_TRY(const Node* const defaults, fields.table("host_defaults"));
  if (defaults != nullptr) {
    const Fields host_defaults(source, *defaults, "in [host_defaults]", kHostDefaultsFields);
    OTTO_RETURN_IF_ERROR(host_defaults.check());
    OTTO_TRY(const Node* const ssh, host_defaults.table("ssh_options"));
    if (ssh != nullptr) {
      OTTO_TRY(settings.host_defaults, read_ssh_options(source, *ssh, "in [host_defaults.ssh_options]"));
    }
  }
  OTTO_TRY(const Node* const docker, fields.table("docker"));
  if (docker != nullptr) OTTO_RETURN_IF_ERROR(read_docker_table(source, *docker, settings));
  return {};
}

Settings settings_at(const fs::path& root) {
  Settings settings;
  std::error_code failure;
  settings.root = fs::absolute(root, failure).lexically_normal();
  if (!settings.root.has_filename() && settings.root.has_relative_path()) settings.root = settings.root.parent_path();
  settings.file = settings.root / ".otto" / "settings.toml";
  return settings;
}

}  // namespace

/// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_repository_component(std::string_view name) {
  while (true) {
    const std::size_t run = std::min(name.find_first_not_of(kAlphanumeric), name.size());
    if (run == 0) return false;
    name.remove_prefix(run);
    if (name.empty()) return true;
    const std::size_t separator = std::min(name.find_first_of(kAlphanumeric), name.size());
    const std::string_view between = name.substr(0, separator);
    const bool dashes = between.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && between != "." && between != "_" && between != "__") return false;
    name.remove_prefix(separator);
  }
}

Result<Settings> parse_settings(const fs::path& root, std::string_view text) {
  Settings settings = settings_at(root);
  const Source source{settings.file.string(), Format::kToml, settings.root, settings.root.string()};
  OTTO_TRY(const Node document, parse_toml(source, text));
  OTTO_RETURN_IF_ERROR(read_top(source, document, settings));
  return settings;
}

Result<Settings> load_settings(const fs::path& root) {
  OTTO_TRY(const std::string text, read_document(settings_at(root).file));
  return parse_settings(root, text);
}

}  // namespace otto::config
