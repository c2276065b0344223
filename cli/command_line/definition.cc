#include "cli/command_line/definition.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>

#include "graph/base/text.h"

namespace otto::cli {

struct Definition::State {
  CLI::App app;
  std::string group = "Options";
  std::vector<OptionInfo> described;  ///< operands that are never parsed
  std::string no_operands;            ///< the hint where one is named all the same
  std::optional<Error> pending;       ///< what a value's own check found, told instead of CLI11's message
};

namespace {

std::string display_names(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  std::vector<std::string> names;
  for (const auto& name : option.get_snames()) names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  return text::join(names, ", ");
}

std::string option_part(std::string_view token) { return std::string(token.substr(0, token.find('='))); }

/// The option's name at the head of a CLI11 message ("--lab: 1 required NAME missing").
std::string named_in(const CLI::Error& error) {
  const std::string what = error.what();
  return what.substr(0, what.find_first_of(": "));
}

Error token_error(std::string message, std::string hint = {}) {
  return make_error(ErrorCode::kUsage, std::move(message), std::move(hint));
}

}  // namespace

Error unknown_option(std::string_view token, std::span<const std::string> names) {
  const std::string name = option_part(token);
  // One letter is as near to every other; a suggestion would be noise.
  const bool one_letter = name.size() <= 2;
  return token_error(fmt::format("unknown option '{}'{}", name, one_letter ? "" : text::did_you_mean(name, names)));
}

Definition::Definition() : state_(std::make_unique<State>()) {
  state_->app.set_help_flag("-h,--help", "show this help and exit");
  state_->app.get_help_ptr()->group("Global options");
  state_->app.option_defaults()->always_capture_default(false);
}
Definition::~Definition() = default;

void Definition::group(std::string title) { state_->group = std::move(title); }

void Definition::flag(std::string names, bool& target, std::string help) {
  state_->app.add_flag(names, target, help)->group(state_->group);
}

void Definition::count(std::string names, int& target, std::string help) {
  state_->app.add_flag(names, target, help)->group(state_->group);
}

void Definition::text(std::string names, std::string type, std::optional<std::string>& target, std::string help) {
  const std::function<void(const std::string&)> assign = [&target](const std::string& value) { target = value; };
  state_->app.add_option_function(names, assign, help)
      ->type_name(type)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->group(state_->group);
}

void Definition::text_list(std::string names, std::string type, std::vector<std::string>& target, std::string help) {
  state_->app.add_option(names, target, help)->type_name(type)->allow_extra_args(false)->group(state_->group);
}

void Definition::number(std::string names, unsigned& target, unsigned min, unsigned max, std::string default_text,
                        std::string help) {
  take_number(
      std::move(names), min, max, std::move(default_text), [&target](unsigned value) { target = value; },
      std::move(help));
}

void Definition::number(std::string names, std::optional<unsigned>& target, unsigned min, unsigned max,
                        std::string help) {
  take_number(
      std::move(names), min, max, "", [&target](unsigned value) { target = value; }, std::move(help));
}

void Definition::take_number(std::string names, unsigned min, unsigned max, std::string default_text,
                             std::function<void(unsigned)> take, std::string help) {
  const std::string name = names.substr(names.rfind(',') + 1);
  const std::function<void(const std::string&)> assign = [this, take = std::move(take), min, max,
                                                          name](const std::string& value) {
    unsigned parsed = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (failure != std::errc() || end != value.data() + value.size() || parsed < min || parsed > max) {
      state_->pending =
          token_error(fmt::format("option '{}': '{}' is not a number from {} to {}", name, value, min, max));
      throw CLI::ValidationError(name, "out of range");
    }
    take(parsed);
  };
  CLI::Option* option = state_->app.add_option_function(names, assign, help)
                            ->type_name("N")
                            ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  if (!default_text.empty()) option->default_str(default_text);
  option->group(state_->group);
}

void Definition::choice_by_index(std::string names, std::vector<std::string> values,
                                 std::optional<std::size_t> default_index, std::function<void(std::size_t)> assign,
                                 std::string help) {
  const std::string name = names.substr(names.rfind(',') + 1);
  const std::string type = text::join(values, "|");
  const std::string default_text = default_index ? values.at(*default_index) : "";
  const std::function<void(const std::string&)> check = [this, name, values = std::move(values),
                                                         assign = std::move(assign)](const std::string& value) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] == value) return assign(i);
    }
    state_->pending =
        token_error(fmt::format("option '{}': unknown value '{}'{}", name, value, text::did_you_mean(value, values)),
                    fmt::format("one of: {}", text::join(values, ", ")));
    throw CLI::ValidationError(name, "not one of its values");
  };
  state_->app.add_option_function(names, check, help)
      ->type_name(type)
      ->default_str(default_text)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->group(state_->group);
}

void Definition::operand(std::string name, std::string& target, std::string help) {
  state_->app.add_option(name, target, help)->required();
}

void Definition::operands(std::string name, std::vector<std::string>& target, std::string help) {
  state_->app.add_option(name, target, help);
}

void Definition::describe_operand(std::string name, std::string help, bool repeatable) {
  state_->described.push_back({std::move(name), "", std::move(help), "", "", true, true, repeatable});
}

void Definition::takes_no_operands(std::string hint) { state_->no_operands = std::move(hint); }

void Definition::conflict(const std::string& a, const std::string& b) {
  state_->app.get_option(a)->excludes(state_->app.get_option(b));
}

Result<bool> Definition::parse(std::vector<std::string> tokens) {
  std::reverse(tokens.begin(), tokens.end());  // as CLI11 wants them
  state_->pending.reset();
  try {
    state_->app.parse(std::move(tokens));
    return false;
  } catch (const CLI::CallForHelp&) {
    return true;
  } catch (const CLI::ExtrasError&) {
    const std::string first = state_->app.remaining().front();
    if (first.size() > 1 && first.front() == '-') return unknown_option(first, option_names());
    Error unexpected = token_error(fmt::format("unexpected argument '{}'", first));
    if (!state_->no_operands.empty()) unexpected.hint = state_->no_operands;
    return unexpected;
  } catch (const CLI::RequiredError& error) {
    return token_error(fmt::format("{} is missing", named_in(error)));
  } catch (const CLI::ArgumentMismatch& error) {
    return token_error(fmt::format("option '{}' needs a value", named_in(error)));
  } catch (const CLI::ExcludesError& error) {
    return token_error(error.what());
  } catch (const CLI::Error& error) {
    return state_->pending ? *state_->pending : token_error(error.what());
  }
}

std::optional<std::size_t> Definition::option_length(std::string_view token) const {
  const bool is_long = token.starts_with("--");
  if (is_long) {
    const CLI::Option* option = state_->app.get_option_no_throw(option_part(token));
    if (option == nullptr) return std::nullopt;
    return option->get_items_expected_max() > 0 && token.find('=') == std::string_view::npos ? 2 : 1;
  }
  for (std::size_t i = 1; i < token.size(); ++i) {  // a cluster: -vn, -vlLAB
    const CLI::Option* option = state_->app.get_option_no_throw(std::string{'-', token[i]});
    if (option == nullptr) return std::nullopt;
    if (option->get_items_expected_max() > 0) return i + 1 == token.size() ? 2 : 1;
  }
  return 1;
}

std::vector<OptionInfo> Definition::info() const {
  std::vector<OptionInfo> all = state_->described;
  const CLI::App& app = state_->app;
  for (const CLI::Option* option : app.get_options()) {
    OptionInfo info;
    info.names = display_names(*option);
    info.help = option->get_description();
    info.operand = option->get_positional();
    info.required = option->get_required();
    info.repeatable = option->get_items_expected_max() > 1;
    info.default_text = option->get_default_str();
    if (!info.operand) {
      info.group = option->get_group();
      if (option->get_items_expected_max() > 0) info.type = option->get_type_name();
    }
    all.push_back(std::move(info));
  }
  return all;
}

std::vector<std::string> Definition::option_names() const {
  std::vector<std::string> names;
  for (const OptionInfo& option : info()) {
    if (option.operand) continue;
    for (const std::string& name : text::split(option.names, ',')) names.emplace_back(text::trim(name));
  }
  return names;
}

}  // namespace otto::cli
