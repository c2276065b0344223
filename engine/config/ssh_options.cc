// See ssh_options.h. Limits: a port is 1 to 65535, a timeout at most a day.
#include "engine/config/ssh_options.h"

#include <array>

#include "engine/config/fields.h"

namespace otto::config {

namespace {

constexpr double kOneDay = 86400;
constexpr std::array<FieldSpec, 7> kFields = {{
    {"port", "22"},
    {"identity_files", R"(["~/.ssh/id_ed25519"])"},
    {"known_hosts", R"(["~/.ssh/known_hosts"])"},
    {"host_key_policy", R"("accept-new")"},
    {"connect_timeout", "10"},
    {"keepalive_interval", "15"},
    {"use_ssh_config", "true"},
}};
constexpr std::array<FieldSpec, 3> kTelnetFields = {
    {{"port", "23"}, {"connect_timeout", "10"}, {"keepalive_interval", "15"}}};

Result<std::optional<std::chrono::milliseconds>> read_seconds(const Fields& fields, std::string_view key,
                                                              double least) {
  OTTO_TRY(const auto milliseconds, fields.seconds(key, least, kOneDay));
  if (!milliseconds) return std::optional<std::chrono::milliseconds>();
  return std::optional(std::chrono::milliseconds(*milliseconds));
}

}  // namespace

Result<SshOptions> read_ssh_options(const Source& source, const Node& table, std::string scope) {
  static const std::vector<std::string> kPolicies = {"strict", "accept-new", "off"};
  const Fields fields(source, table, std::move(scope), kFields);
  OTTO_RETURN_IF_ERROR(fields.check());
  SshOptions options;
  OTTO_TRY(const auto port, fields.integer("port", 1, 65535));
  if (port) options.port = static_cast<std::uint16_t>(*port);
  OTTO_TRY(options.identity_files, fields.user_paths("identity_files"));
  OTTO_TRY(options.known_hosts, fields.user_paths("known_hosts"));
  OTTO_TRY(const auto policy, fields.choice("host_key_policy", kPolicies));
  if (policy) options.host_key_policy = static_cast<transport::HostKeyPolicy>(*policy);
  OTTO_TRY(options.connect_timeout, read_seconds(fields, "connect_timeout", 0.001));
  OTTO_TRY(options.keepalive_interval, read_seconds(fields, "keepalive_interval", 0));
  OTTO_TRY(options.use_ssh_config, fields.boolean("use_ssh_config"));
  return options;
}

Result<TelnetOptions> read_telnet_options(const Source& source, const Node& table, std::string scope) {
  const Fields fields(source, table, std::move(scope), kTelnetFields);
  OTTO_RETURN_IF_ERROR(fields.check());
  TelnetOptions options;
  OTTO_TRY(const auto port, fields.integer("port", 1, 65535));
  if (port) options.port = static_cast<std::uint16_t>(*port);
  OTTO_TRY(options.connect_timeout, read_seconds(fields, "connect_timeout", 0.001));
  OTTO_TRY(options.keepalive_interval, read_seconds(fields, "keepalive_interval", 0));
  return options;
}

}  // namespace otto::config
