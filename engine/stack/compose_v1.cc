// v1 is Python: PyYAML writes `config` (YAML 1.1, strings quoted where they look like anything else), python-dotenv
// reads env files (escapes in double quotes; `${NAME:-default}` expanded everywhere, `$NAME` nowhere).
#include "engine/stack/compose_v1.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "engine/stack/scripts.h"
#include "graph/base/text.h"

namespace otto::stack {

namespace {

constexpr int kLeastMinor = 28;
constexpr unsigned kDeepest = 64;

/// A plain scalar's type as PyYAML means it; anything that is not clearly something else is a string.
nlohmann::json plain_scalar(const std::string& text) {
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  if (text == "true" || text == "false") return text == "true";
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto [at, failed] = std::from_chars(text.data(), end, integer); at == end && failed == std::errc()) {
    return integer;
  }
  double number = 0;
  const auto [at, failed] = std::from_chars(text.data(), end, number);
  if (at == end && failed == std::errc()) return number;
  return text;
}

nlohmann::json to_json(const YAML::Node& node, unsigned depth) {
  if (depth > kDeepest) throw YAML::RepresentationException(node.Mark(), "nested too deep");
  if (node.IsMap()) {
    nlohmann::json object = nlohmann::json::object();
    for (const auto& entry : node) object[entry.first.Scalar()] = to_json(entry.second, depth + 1);
    return object;
  }
  if (node.IsSequence()) {
    nlohmann::json array = nlohmann::json::array();
    for (const YAML::Node& item : node) array.push_back(to_json(item, depth + 1));
    return array;
  }
  if (!node.IsScalar()) return nullptr;
  const bool quoted = node.Tag() == "!";  // yaml-cpp's word for a quoted scalar
  return quoted ? nlohmann::json(node.Scalar()) : plain_scalar(node.Scalar());
}

}  // namespace

Result<void> check_v1_version(std::string_view version, std::string_view host_id) {
  int minor = 0;
  const std::string_view rest = version.substr(std::min<std::size_t>(2, version.size()));
  std::from_chars(rest.data(), rest.data() + rest.size(), minor);
  if (minor >= kLeastMinor) return {};
  return make_error(ErrorCode::kUnsupported,
                    fmt::format("host '{}' has Compose {}, which is too old", host_id, text::printable(version)),
                    "install docker-compose 1.29 there, or better Compose v2 (docker-compose-plugin)");
}

std::string v1_env_file_line(std::string_view name, std::string_view value) {
  std::string line(name);
  line += "=\"";
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    switch (c) {
      case '\n': line += "\\n"; break;
      case '\r': line += "\\r"; break;
      case '"':
      case '\\':
        line += '\\';
        line += c;
        break;
      case '$':
        // The default of a variable that nobody has: a dollar that does not begin an expansion.
        line += value.substr(i + 1, 1) == "{" ? "${OTTO_NO_SUCH_NAME:-$}" : "$";
        break;
      default: line += c;
    }
  }
  return line + "\"\n";
}

Result<std::string> v1_config_as_json(const std::string& yaml) {
  try {
    const nlohmann::json document = to_json(YAML::Load(yaml), 0);
    for (const auto& [name, service] : document.at("services").items()) {
      if (service.is_object() && service.contains("configs")) {
        return make_error(
            ErrorCode::kUnsupported,
            fmt::format("service '{}' uses `configs`, which Compose v1 does not know outside of a swarm", name),
            "use `secrets` or a bind mount, or install Compose v2 on the parent");
      }
    }
    return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  } catch (const YAML::Exception& problem) {
    return make_error(ErrorCode::kComposeFailed,
                      fmt::format("the answer of 'docker-compose config' is no YAML: {}", problem.what()));
  } catch (const nlohmann::json::exception&) {
    return make_error(ErrorCode::kComposeFailed, "the answer of 'docker-compose config' has no services");
  }
}

std::string labelled_down_script(std::string_view project, unsigned timeout_s, bool volumes) {
  return fmt::format("otto_project={} otto_grace={} otto_kinds='network{}'\n{}", text::shell_quote(project), timeout_s,
                     volumes ? " volume" : "", kLabelledDownScript);
}

Error with_v1_hint(Error error) {
  if (error.hint.empty()) {
    error.hint =
        "the parent has Compose v1, which lacks newer keys (include, depends_on.restart, develop, …); install "
        "Compose v2 (docker-compose-plugin) there, or do without them";
  }
  return error;
}

}  // namespace otto::stack
