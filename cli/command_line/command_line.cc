#include "cli/command_line/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/command_line/definition.h"
#include "graph/base/text.h"

namespace otto::cli {
namespace {

bool is_option(std::string_view word) { return word.size() > 1 && word.front() == '-' && word != "--"; }
bool is_help(std::string_view word) { return word == "-h" || word == "--help"; }
bool is_placeholder(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

struct Candidate {
  const VerbInfo* info;
  std::vector<std::string> path;
};

Error command_error(std::string message, std::string hint) {
  return make_error(ErrorCode::kUsage, std::move(message), std::move(hint));
}

/// Reads words up to the verb's last one; options between them are kept for the verb's own parser.
class VerbFinder {
 public:
  explicit VerbFinder(const std::vector<std::string>& words) : words_(words) {
    for (const VerbInfo* info : all_verbs()) candidates_.push_back({info, text::split(info->path, ' ')});
    define_global_options(globals_, scratch_);
  }

  /// Stops at the verb, at the end of the words (found() is false), or with kUsage.
  Result<void> find() {
    while (next_ < words_.size() && !found()) {
      const std::string& word = words_[next_];
      if (is_option(word)) {
        OTTO_RETURN_IF_ERROR(take_option(word));
      } else {
        OTTO_RETURN_IF_ERROR(take_word(word));
        ++next_;
      }
    }
    return {};
  }

  [[nodiscard]] bool found() const { return candidates_.size() == 1 && candidates_.front().path.size() == depth_; }
  [[nodiscard]] const VerbInfo* verb() const { return candidates_.front().info; }
  [[nodiscard]] std::size_t next() const { return next_; }
  [[nodiscard]] bool help() const { return help_; }
  [[nodiscard]] const std::string& target() const { return target_; }
  [[nodiscard]] const std::vector<std::string>& options() const { return options_; }
  /// The words of the path so far, placeholders by their name: "host ID".
  [[nodiscard]] std::string path() const {
    const auto& path = candidates_.front().path;
    return depth_ == 0 ? "" : fmt::format("{}", fmt::join(path.begin(), path.begin() + std::ptrdiff_t(depth_), " "));
  }
  /// What may come next: "build, up, down, ps, context".
  [[nodiscard]] std::vector<std::string> continuations() const {
    std::vector<std::string> all;
    for (const Candidate& candidate : candidates_) {
      const std::string& word = candidate.path[depth_];
      if (std::find(all.begin(), all.end(), word) == all.end()) all.push_back(word);
    }
    return all;
  }

 private:
  Result<void> take_option(const std::string& word) {
    help_ |= is_help(word);
    auto length = globals_.option_length(word);
    std::vector<std::string> names = globals_.option_names();
    for (const Candidate& candidate : candidates_) {
      if (length) break;
      Definition definition;
      const auto verb = candidate.info->make();
      verb->define(definition);
      length = definition.option_length(word);
      if (depth_ > 0) std::ranges::copy(definition.option_names(), std::back_inserter(names));
    }
    if (!length) return unknown_option(word, names).with_hint(fmt::format("see 'otto {}-h'", prefix()));
    for (std::size_t i = 0; i < *length && next_ < words_.size(); ++i) options_.push_back(words_[next_++]);
    return {};
  }

  Result<void> take_word(const std::string& word) {
    std::vector<Candidate> left;
    for (const Candidate& candidate : candidates_) {
      const std::string& expected = candidate.path[depth_];
      if (expected == word || is_placeholder(expected)) left.push_back(candidate);
    }
    if (left.empty()) return unknown_word(word);
    if (is_placeholder(left.front().path[depth_])) target_ = word;
    candidates_ = std::move(left);
    ++depth_;
    return {};
  }

  [[nodiscard]] Error unknown_word(const std::string& word) const {
    std::string suggestion;
    for (const VerbInfo* info : all_verbs()) {
      if (depth_ == 0 && text::split(info->path, ' ').back() == word) {
        suggestion = fmt::format(" … did you mean 'otto {}'?", info->path);
      }
    }
    const auto known = continuations();
    if (suggestion.empty()) suggestion = text::did_you_mean(word, known);
    const std::string where = depth_ == 0 ? "" : fmt::format(" for 'otto {}'", path());
    return command_error(fmt::format("unknown command '{}'{}{}", word, where, suggestion),
                         fmt::format("commands here: {}; see 'otto {}-h'", text::join(known, ", "), prefix()));
  }

  [[nodiscard]] std::string prefix() const { return depth_ == 0 ? "" : path() + " "; }

  const std::vector<std::string>& words_;
  std::vector<Candidate> candidates_;
  GlobalOptions scratch_;
  Definition globals_;
  std::vector<std::string> options_;
  std::string target_;
  std::size_t next_ = 0;
  std::size_t depth_ = 0;
  bool help_ = false;
};

/// No verb: an option that stands alone, help, or an error.
void finish_without_verb(const VerbFinder& finder, CommandLine& line) {
  if (finder.help()) {
    line.help = finder.path();
    return;
  }
  Definition definition;
  define_global_options(definition, line.options);
  if (auto parsed = definition.parse(finder.options()); !parsed) {
    line.error = std::move(parsed).error();
  } else if (!line.options.stands_alone()) {
    const std::string path = finder.path();
    const std::string spaced = path.empty() ? "" : path + " ";
    line.error =
        command_error(fmt::format("a command is missing after 'otto{}{}'", path.empty() ? "" : " ", path),
                      fmt::format("one of: {}; see 'otto {}-h'", text::join(finder.continuations(), ", "), spaced));
  } else if (!finder.path().empty()) {
    line.error = command_error(fmt::format("'otto {}' is incomplete", finder.path()), "");
  }
}

/// Splits what follows the verb into options, which are returned, and the words that stay as they are.
Result<std::vector<std::string>> split_verbatim(std::span<const std::string> words, const Definition& definition,
                                                std::vector<std::string>& verbatim) {
  std::size_t next = 0;
  while (next < words.size() && is_option(words[next])) {
    const auto length = definition.option_length(words[next]);
    if (!length) {
      return unknown_option(words[next], definition.option_names())
          .with_hint("put -- before a command that begins with '-'");
    }
    next += *length;
  }
  next = std::min(next, words.size());
  const std::size_t first = next < words.size() && words[next] == "--" ? next + 1 : next;
  verbatim.assign(words.begin() + std::ptrdiff_t(first), words.end());
  return std::vector<std::string>(words.begin(), words.begin() + std::ptrdiff_t(next));
}

Result<void> parse_verb(const VerbFinder& finder, std::span<const std::string> rest, CommandLine& line) {
  line.info = finder.verb();
  line.target = finder.target();
  line.verb = line.info->make();
  Definition definition;
  definition.group("Options");
  line.verb->define(definition);
  define_global_options(definition, line.options, line.verb->draws());

  std::vector<std::string> tokens = finder.options();
  std::vector<std::string>* const verbatim = line.verb->verbatim();
  if (verbatim != nullptr) {
    OTTO_TRY(const std::vector<std::string> options, split_verbatim(rest, definition, *verbatim));
    tokens.insert(tokens.end(), options.begin(), options.end());
  } else {
    tokens.insert(tokens.end(), rest.begin(), rest.end());
  }
  auto help = definition.parse(std::move(tokens));
  if (!help) {
    Error error = std::move(help).error();
    if (error.hint.empty()) error.hint = fmt::format("see 'otto {} -h'", line.info->path);
    return error;
  }
  if (*help) {
    line.help = std::string(line.info->path);
  } else if (verbatim != nullptr && verbatim->empty() && !line.options.stands_alone()) {
    return command_error("CMD is missing", fmt::format("see 'otto {} -h'", line.info->path));
  }
  return {};
}

/// Errors of the command line itself are shown in the format it asks for, as far as that can be read.
Format format_asked_for(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (words[i] == "--format=json") return Format::kJson;
    if (words[i] == "--format" && i + 1 < words.size() && words[i + 1] == "json") return Format::kJson;
  }
  return Format::kText;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& words) {
  CommandLine line;
  VerbFinder finder(words);
  if (auto found = finder.find(); !found) {
    line.error = std::move(found).error();
  } else if (!finder.found()) {
    finish_without_verb(finder, line);
  } else if (auto parsed = parse_verb(finder, std::span(words).subspan(finder.next()), line); !parsed) {
    line.error = std::move(parsed).error();
  }
  if (line.error) {
    line.options.format = format_asked_for(words);
    line.verb.reset();
  }
  return line;
}

}  // namespace otto::cli
