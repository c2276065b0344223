#include "engine/images/dockerfile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "engine/images/dockerfile_lines.h"
#include "engine/images/dockerfile_words.h"
#include "graph/base/text.h"

namespace otto::images {
namespace {

/// The number that the text is, if it is one.
std::optional<std::size_t> as_number(std::string_view text) {
  if (text.empty() || text.size() > 6) return std::nullopt;
  std::size_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::size_t>(c - '0');
  }
  return number;
}

std::string_view without_quotes(std::string_view text) {
  while (!text.empty() && (text.front() == '"' || text.front() == '\'')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == '"' || text.back() == '\'')) text.remove_suffix(1);
  return text;
}

struct Stage {
  std::string name;                        ///< lower case
  std::optional<std::size_t> base;         ///< a stage of this file
  bool any_stage = false;                  ///< its FROM holds a platform arg: could be any of them
  std::vector<ImageReference> references;  ///< the external FROM, then every --from, still unresolved
};

class DockerfileReader {
 public:
  DockerfileReader(std::string_view file_name, const std::map<std::string, std::string>& build_args,
                   const std::optional<std::string>& target, const std::set<std::string>& triggered)
      : file_name_(file_name), build_args_(build_args), triggered_(triggered) {
    if (target && !target->empty()) target_ = *target;
  }

  Result<Dockerfile> run(const DockerfileLines& file) {
    escape_ = file.escape;
    for (const LogicalLine& line : file.lines) OTTO_RETURN_IF_ERROR(instruction(line));
    if (stages_.empty()) {
      return make_error(ErrorCode::kConfig, fmt::format("{}:1: no FROM: the file builds nothing", file_name_),
                        "a Dockerfile needs at least one FROM");
    }
    OTTO_TRY(const std::vector<std::set<std::size_t>> needs, resolve_stage_references());
    OTTO_TRY(std::vector<bool> wanted, wanted_stages(needs));
    Dockerfile result;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      result.stages.push_back(stages_[i].name);
      if (!wanted[i]) continue;
      for (ImageReference& reference : stages_[i].references) result.references.push_back(std::move(reference));
    }
    result.needed = std::move(wanted);
    return result;
  }

 private:
  Result<void> instruction(const LogicalLine& line) {
    const std::vector<Word> words = split_words(line.text, escape_);
    const std::string command = text::to_lower(words.front().text);
    if (command == "arg") return stages_.empty() ? global_args(words, line) : Result<void>();
    if (command == "from") return from(words, line);
    if (stages_.empty()) {
      return failure(line, fmt::format("'{}' stands before the first FROM", text::printable(words.front().text)),
                     "only ARG may come before FROM");
    }
    if (command == "copy" || command == "run") flags(command, words, line);
    if (command == "onbuild" && words.size() > 1) onbuild({words.begin() + 1, words.end()}, line);
    return {};
  }

  Result<void> global_args(const std::vector<Word>& words, const LogicalLine& line) {
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].text.find('=');
      const std::string name = unquote_word(words[i].text.substr(0, equals), escape_);
      const auto given = build_args_.find(name);
      if (given != build_args_.end()) {
        args_[name] = given->second;
      } else if (equals != std::string_view::npos) {
        OTTO_TRY(args_[name], expand(words[i].text.substr(equals + 1), line));
      }
    }
    return {};
  }

  Result<void> from(const std::vector<Word>& words, const LogicalLine& line) {
    std::size_t first = 1;
    while (first < words.size() && words[first].text.substr(0, 2) == "--") ++first;
    const std::size_t count = words.size() - first;
    const bool named = count == 3 && text::to_lower(words[first + 1].text) == "as";
    if (count != 1 && !named) {
      return failure(line, "FROM takes one image, or an image AS a name", "write FROM image [AS name]");
    }
    const Word& image = words[first];
    unset_.clear();
    OTTO_TRY(const std::string name, expand(image.text, line));
    if (name.empty()) {
      return failure(line, fmt::format("FROM is empty after expanding '{}'", image.text),
                     unset_.empty()
                         ? "name an image"
                         : fmt::format("give '{}' a value in build_args, or a default with ARG {}=… before FROM",
                                       unset_.front(), unset_.front()));
    }
    Stage stage;
    stage.any_stage = name.find("${") != std::string::npos;
    if (named) stage.name = text::to_lower(without_quotes(words[first + 2].text));
    stage.base = stage_named(name);
    if (!stage.base && name != "scratch") {
      stage.references.push_back(located(ReferenceKind::kFrom, name, line, image.begin, image.text.size()));
    }
    stages_.push_back(std::move(stage));
    return {};
  }

  void onbuild(const std::vector<Word>& words, const LogicalLine& line) {
    std::vector<ImageReference>& references = stages_.back().references;
    const std::size_t before = references.size();
    flags(text::to_lower(words.front().text), words, line);
    for (std::size_t i = before; i < references.size(); ++i) references[i].trigger = true;
  }

  void flags(const std::string& command, const std::vector<Word>& words, const LogicalLine& line) {
    for (std::size_t i = 1; i < words.size() && words[i].text.substr(0, 2) == "--"; ++i) {
      const std::string_view flag = words[i].text;
      const std::size_t equals = flag.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string name = text::to_lower(flag.substr(2, equals - 2));
      if (command == "copy" && name == "from") {
        add_from(ReferenceKind::kCopyFrom, flag.substr(equals + 1), words[i].begin + equals + 1, line);
      } else if (command == "run" && name == "mount") {
        mount(flag.substr(equals + 1), words[i].begin + equals + 1, line);
      }
    }
  }

  /// `type=bind,from=NAME,…`: comma-separated fields, quotes around a field or the whole.
  void mount(std::string_view options, std::size_t begin, const LogicalLine& line) {
    std::size_t at = 0;
    while (at <= options.size()) {
      const std::size_t end = std::min(options.find(',', at), options.size());
      const std::string_view field = options.substr(at, end - at);
      const std::string_view plain = without_quotes(field);
      if (text::to_lower(plain.substr(0, 5)) == "from=") {
        const auto value = static_cast<std::size_t>(plain.data() - options.data()) + 5;
        add_from(ReferenceKind::kMountFrom, plain.substr(5), begin + value, line);
      }
      at = end + 1;
    }
  }

  void add_from(ReferenceKind kind, std::string_view written, std::size_t begin, const LogicalLine& line) {
    const std::string_view name = without_quotes(written);
    if (name.empty()) return;
    begin += static_cast<std::size_t>(name.data() - written.data());
    stages_.back().references.push_back(located(kind, std::string(name), line, begin, name.size()));
  }

  /// Turns `--from` of stages into needs and leaves external references; gives the stages that each stage needs.
  Result<std::vector<std::set<std::size_t>>> resolve_stage_references() {
    std::vector<std::set<std::size_t>> needs(stages_.size());
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (stages_[i].base) needs[i].insert(*stages_[i].base);
      std::vector<ImageReference> external;
      for (ImageReference& reference : stages_[i].references) {
        OTTO_TRY(const std::optional<std::size_t> stage, referenced_stage(reference));
        if (stage) {
          needs[i].insert(*stage);
        } else if (reference.name != "scratch") {
          external.push_back(std::move(reference));
        }
      }
      stages_[i].references = std::move(external);
      for (std::size_t j = 0; stages_[i].any_stage && j < i; ++j) needs[i].insert(j);
    }
    return needs;
  }

  Result<std::optional<std::size_t>> referenced_stage(const ImageReference& reference) const {
    if (reference.kind == ReferenceKind::kFrom) return std::optional<std::size_t>();
    if (reference.trigger) return stage_named(reference.name);  // of a stage of this file that is built from this one
    if (reference.name.find('$') != std::string::npos) {
      return make_error(ErrorCode::kConfig,
                        fmt::format("{}:{}: 'from={}': from expands no variables", file_name_, reference.line,
                                    text::printable(reference.name)),
                        "name a stage with FROM … AS name and copy from that");
    }
    if (const auto number = as_number(reference.name)) {
      if (*number < stages_.size()) return number;
      return make_error(ErrorCode::kConfig, fmt::format("{}:{}: from={}: the file has {} stages, numbered from 0",
                                                        file_name_, reference.line, *number, stages_.size()));
    }
    return stage_named(reference.name);
  }

  Result<std::vector<bool>> wanted_stages(const std::vector<std::set<std::size_t>>& needs) const {
    std::optional<std::size_t> target = target_.empty() ? stages_.size() - 1 : stage_named(target_);
    if (!target) target = as_number(target_);
    if (!target || *target >= stages_.size()) {
      std::vector<std::string> names;
      for (const Stage& stage : stages_) {
        if (!stage.name.empty()) names.push_back(stage.name);
      }
      return make_error(ErrorCode::kConfig,
                        fmt::format("{}: no stage '{}'{}", file_name_, text::printable(target_),
                                    text::did_you_mean(text::to_lower(target_), names)),
                        names.empty() ? "name a stage with FROM … AS name"
                                      : fmt::format("its stages are {}", text::join(names, ", ")));
    }
    std::vector<bool> wanted(stages_.size(), false);
    std::vector<std::size_t> open = {*target};
    for (const std::string& name : triggered_) {
      if (const auto stage = stage_named(name)) open.push_back(*stage);
    }
    while (!open.empty()) {
      const std::size_t stage = open.back();
      open.pop_back();
      if (wanted[stage]) continue;
      wanted[stage] = true;
      open.insert(open.end(), needs[stage].begin(), needs[stage].end());
    }
    return wanted;
  }

  /// The last stage so far of that name.
  [[nodiscard]] std::optional<std::size_t> stage_named(std::string_view name) const {
    const std::string lower = text::to_lower(name);
    for (std::size_t i = stages_.size(); i-- > 0;) {
      if (!stages_[i].name.empty() && stages_[i].name == lower) return i;
    }
    return std::nullopt;
  }

  Result<std::string> expand(std::string_view word, const LogicalLine& line) {
    const ArgLookup lookup = [&](std::string_view name) { return arg(name); };
    auto value = expand_word(word, escape_, lookup);
    if (value) return value;
    Error error = std::move(value).error();
    error.message = fmt::format("{}:{}: {}", file_name_, line.line, text::printable(error.message));
    return error;
  }

  std::optional<std::string> arg(std::string_view name) {
    const auto known = args_.find(name);
    if (known != args_.end()) return known->second;
    if (name == "TARGETSTAGE") return target_.empty() ? "default" : target_;
    if (std::find(kPlatformArgs.begin(), kPlatformArgs.end(), name) != kPlatformArgs.end()) {
      const auto given = build_args_.find(std::string(name));
      if (given != build_args_.end()) return given->second;
      return fmt::format("${{{}}}", name);
    }
    unset_.emplace_back(name);
    return std::nullopt;
  }

  static ImageReference located(ReferenceKind kind, std::string name, const LogicalLine& line, std::size_t begin,
                                std::size_t length) {
    return {kind, std::move(name), line.line, line.origin[begin], line.origin[begin + length - 1] + 1};
  }

  [[nodiscard]] Error failure(const LogicalLine& line, const std::string& what, std::string hint) const {
    return make_error(ErrorCode::kConfig, fmt::format("{}:{}: {}", file_name_, line.line, what), std::move(hint));
  }

  std::string_view file_name_;
  const std::map<std::string, std::string>& build_args_;
  std::string target_;  ///< empty: none
  const std::set<std::string>& triggered_;
  char escape_ = '\\';
  std::map<std::string, std::string, std::less<>> args_;  ///< of the global scope
  std::vector<Stage> stages_;
  std::vector<std::string> unset_;  ///< names without a value in the last expansion
};

}  // namespace

Result<Dockerfile> parse_dockerfile(std::string_view text, std::string_view file_name,
                                    const std::map<std::string, std::string>& build_args,
                                    const std::optional<std::string>& target, const std::set<std::string>& triggered) {
  OTTO_TRY(const DockerfileLines lines, read_dockerfile_lines(text, file_name));
  return DockerfileReader(file_name, build_args, target, triggered).run(lines);
}

}  // namespace otto::images
