#include "engine/compose/interpolation.h"

#include <fmt/format.h>

#include <algorithm>

namespace otto::compose {
namespace {

bool starts_variable(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool continues_variable(char c) { return starts_variable(c) || (c >= '0' && c <= '9'); }

std::size_t name_end(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  if (end < text.size() && starts_variable(text[end])) {
    while (end < text.size() && continues_variable(text[end])) ++end;
  }
  return end;
}

/// One `$…` of a text.
struct Variable {
  std::string_view name;  ///< empty: malformed
  bool or_empty = false;  ///< the operator began with ':'
  char op = 0;            ///< '-', '+', '?' or 0
  std::string_view operand;
  std::size_t end = 0;  ///< just after it
};

/// The index of the '}' that closes the brace before `begin`.
std::size_t closing_brace(std::string_view text, std::size_t begin) {
  unsigned depth = 1;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '}' && --depth == 0) return i;
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') {
      ++depth;
      ++i;
    }
  }
  return std::string_view::npos;
}

Variable read_braced(std::string_view text, std::size_t dollar) {
  Variable variable;
  variable.end = dollar + 2;
  const std::size_t end = name_end(text, dollar + 2);
  const std::size_t close = closing_brace(text, dollar + 2);
  if (end == dollar + 2 || close == std::string_view::npos) return variable;
  std::size_t at = end;
  if (at < close) {
    variable.or_empty = text[at] == ':';
    if (variable.or_empty) ++at;
    if (at >= close || std::string_view("-+?").find(text[at]) == std::string_view::npos) return variable;
    variable.op = text[at++];
    variable.operand = text.substr(at, close - at);
  }
  variable.name = text.substr(dollar + 2, end - dollar - 2);
  variable.end = close + 1;
  return variable;
}

/// Calls `literal(text)` and `variable(Variable)` for the pieces of a text, in order.
template <typename Literal, typename OnVariable>
void walk(std::string_view text, Literal literal, OnVariable variable) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t dollar = text.find('$', at);
    literal(text.substr(at, dollar == std::string_view::npos ? std::string_view::npos : dollar - at));
    if (dollar == std::string_view::npos) return;
    const char next = dollar + 1 < text.size() ? text[dollar + 1] : '\0';
    if (next == '{') {
      const Variable found = read_braced(text, dollar);
      if (!variable(found)) return;
      at = found.end;
    } else if (starts_variable(next)) {
      const std::size_t end = name_end(text, dollar + 1);
      if (!variable(Variable{text.substr(dollar + 1, end - dollar - 1), false, 0, {}, end})) return;
      at = end;
    } else {
      literal("$");
      at = dollar + (next == '$' ? 2 : 1);
    }
  }
}

constexpr unsigned kMaxNesting = 64;

void collect_names(std::string_view text, std::vector<std::string>& names, unsigned depth) {
  if (depth > kMaxNesting) return;
  walk(
      text, [](std::string_view) {},
      [&](const Variable& variable) {
        if (!variable.name.empty() && std::find(names.begin(), names.end(), variable.name) == names.end()) {
          names.emplace_back(variable.name);
        }
        collect_names(variable.operand, names, depth + 1);
        return true;
      });
}

class Interpolator {
 public:
  Interpolator(const Lookup& lookup, const std::function<std::string(std::string_view)>& unset)
      : lookup_(lookup), unset_(unset) {}

  Result<std::string> run(std::string_view text, unsigned depth = 0) {
    std::string out;
    std::optional<Error> failure;
    walk(
        text, [&](std::string_view piece) { out += piece; },
        [&](const Variable& variable) {
          Result<std::string> value =
              variable.name.empty() || depth > kMaxNesting
                  ? make_error(ErrorCode::kConfig,
                               fmt::format("'{}' is no valid interpolation", begin_of(text, variable)),
                               "write ${NAME}, ${NAME:-default}, or $$ for a dollar sign")
                  : value_of(variable, depth);
          if (!value) {
            failure = std::move(value).error();
            return false;
          }
          out += *value;
          return true;
        });
    if (failure) return *std::move(failure);
    return out;
  }

 private:
  /// The dollar, the brace, the name and one more character: what follows or comes before may be a secret.
  static std::string_view begin_of(std::string_view text, const Variable& variable) {
    if (!variable.name.empty()) return variable.name;  // nested too deep
    const std::size_t dollar = variable.end - 2;
    return text.substr(dollar, name_end(text, dollar + 2) + 1 - dollar);
  }

  Result<std::string> value_of(const Variable& variable, unsigned depth) {
    const std::optional<std::string> value = lookup_(variable.name);
    const bool usable = value && !(variable.or_empty && value->empty());
    switch (variable.op) {
      case '+': return usable ? run(variable.operand, depth + 1) : std::string();
      case '-': return usable ? *value : run(variable.operand, depth + 1);
      case '?': return usable ? Result<std::string>(*value) : required(variable, depth);
      default: break;
    }
    if (value) return *value;
    return unset_ ? unset_(variable.name) : std::string();
  }

  Error required(const Variable& variable, unsigned depth) {
    auto words = run(variable.operand, depth + 1);
    return make_error(ErrorCode::kConfig,
                      fmt::format("required variable '{}' has no value{}{}", variable.name,
                                  words && !words->empty() ? ": " : "", words ? *words : std::string()),
                      fmt::format("set {} in the environment or in .env", variable.name));
  }

  const Lookup& lookup_;
  const std::function<std::string(std::string_view)>& unset_;
};

}  // namespace

std::vector<std::string> interpolated_names(std::string_view text) {
  std::vector<std::string> names;
  collect_names(text, names, 0);
  return names;
}

Result<std::string> interpolate(std::string_view text, const Lookup& lookup,
                                const std::function<std::string(std::string_view)>& unset) {
  return Interpolator(lookup, unset).run(text);
}

}  // namespace otto::compose
