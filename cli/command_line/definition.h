// One verb's command line: its options and operands, bound to the verb's variables. The only file that knows CLI11.
//
// CLI11 parses the tokens of one verb; which verb it is, command_line.h finds out before, because CLI11's own
// subcommands would take an image named `up` or a remote command `docker` for a verb. Help, reference and man page are
// read back from the same definition (info()), so they cannot drift. Errors come as kUsage with the near-miss. Owns the
// parser, borrows the variables. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/base/result.h"

namespace otto::cli {

/// An option or operand as help shows it.
struct OptionInfo {
  std::string names;  ///< "-j, --jobs", or the operand's name
  std::string type;   ///< "N", "text|json"; empty for flags
  std::string help;
  std::string default_text;
  std::string group;
  bool operand = false;
  bool required = false;
  bool repeatable = false;
};

class Definition {
 public:
  Definition();
  ~Definition();
  Definition(const Definition&) = delete;
  Definition& operator=(const Definition&) = delete;

  /// Options defined from now on are shown under this title.
  void group(std::string title);

  void flag(std::string names, bool& target, std::string help);
  void count(std::string names, int& target, std::string help);
  /// Given twice, the last one wins.
  void text(std::string names, std::string type, std::optional<std::string>& target, std::string help);
  void text_list(std::string names, std::string type, std::vector<std::string>& target, std::string help);
  void number(std::string names, unsigned& target, unsigned min, unsigned max, std::string default_text,
              std::string help);
  /// As above, empty where it is not given.
  void number(std::string names, std::optional<unsigned>& target, unsigned min, unsigned max, std::string help);
  /// `values` are the spellings of E's values 0, 1, …; target's value is the default.
  template <typename E>
  void choice(const std::string& names, const std::vector<std::string>& values, E& target, const std::string& help) {
    choice_by_index(
        names, values, static_cast<std::size_t>(target),
        [&target](std::size_t index) { target = static_cast<E>(index); }, help);
  }
  /// As above, empty where it is not given.
  template <typename E>
  void choice(const std::string& names, const std::vector<std::string>& values, std::optional<E>& target,
              const std::string& help) {
    choice_by_index(
        names, values, std::nullopt, [&target](std::size_t index) { target = static_cast<E>(index); }, help);
  }
  void operand(std::string name, std::string& target, std::string help);
  void operands(std::string name, std::vector<std::string>& target, std::string help);
  /// Only for help: operands that the command line takes word for word and never parses.
  void describe_operand(std::string name, std::string help, bool repeatable);
  void conflict(const std::string& a, const std::string& b);
  /// What helps whoever names something where nothing can be named.
  void takes_no_operands(std::string hint);

  /// Fills the variables. The value says whether help was asked for (then nothing else was checked). kUsage.
  Result<bool> parse(std::vector<std::string> tokens);

  /// How many tokens the option at tokens[0] takes with its value: 1 or 2. nullopt: no option of this definition.
  [[nodiscard]] std::optional<std::size_t> option_length(std::string_view token) const;
  [[nodiscard]] std::vector<OptionInfo> info() const;
  /// "-j", "--jobs", …
  [[nodiscard]] std::vector<std::string> option_names() const;

 private:
  void take_number(std::string names, unsigned min, unsigned max, std::string default_text,
                   std::function<void(unsigned)> take, std::string help);
  void choice_by_index(std::string names, std::vector<std::string> values, std::optional<std::size_t> default_index,
                       std::function<void(std::size_t)> assign, std::string help);
  struct State;
  std::unique_ptr<State> state_;
};

/// kUsage: "unknown option '--frob' … did you mean '--from'?"; `hint_help` names the command whose -h lists them.
Error unknown_option(std::string_view token, std::span<const std::string> names);

}  // namespace otto::cli
