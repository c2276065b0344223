#include "engine/images/dockerfile_lines.h"

#include <fmt/format.h>

#include <optional>

#include "engine/images/dockerfile_words.h"
#include "graph/base/text.h"

namespace otto::images {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// One line of the file, without its end.
struct Physical {
  std::string_view text;
  std::size_t offset = 0;
  unsigned number = 0;
};

struct Heredoc {
  std::string terminator;
  bool strip_tabs = false;
};

/// `[N]<<[-]NAME`, NAME perhaps quoted; anything else is no heredoc.
std::optional<Heredoc> as_heredoc(std::string_view word, char escape) {
  while (!word.empty() && word.front() >= '0' && word.front() <= '9') word.remove_prefix(1);
  if (word.substr(0, 2) != "<<") return std::nullopt;
  word.remove_prefix(2);
  Heredoc heredoc;
  heredoc.strip_tabs = !word.empty() && word.front() == '-';
  if (heredoc.strip_tabs) word.remove_prefix(1);
  if (word.empty() || word.find('<') != std::string_view::npos) return std::nullopt;
  heredoc.terminator = unquote_word(word, escape);
  if (heredoc.terminator.empty()) return std::nullopt;
  return heredoc;
}

std::vector<Heredoc> heredocs_of(std::string_view line, char escape) {
  std::vector<Heredoc> found;
  if (line.find("<<") == std::string_view::npos) return found;
  const std::vector<Word> words = split_words(line, escape);
  std::size_t first = 0;
  if (!words.empty() && text::to_lower(words[0].text) == "onbuild") first = 1;
  if (words.size() <= first) return found;
  const std::string instruction = text::to_lower(words[first].text);
  if (instruction != "run" && instruction != "copy" && instruction != "add") return found;
  for (std::size_t i = first + 1; i < words.size(); ++i) {
    if (auto heredoc = as_heredoc(words[i].text, escape)) found.push_back(*std::move(heredoc));
  }
  return found;
}

class LineReader {
 public:
  LineReader(std::string_view text, std::string_view file_name) : text_(text), file_name_(file_name) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
  }

  Result<DockerfileLines> run() {
    OTTO_RETURN_IF_ERROR(directives());
    Physical line;
    while (next(line)) {
      const std::string_view content = text::trim(line.text);
      if (content.empty() || content.front() == '#') continue;
      LogicalLine logical = join(line);
      if (text::trim(logical.text).empty()) continue;
      OTTO_RETURN_IF_ERROR(skip_heredocs(logical));
      logical.end = at_ - 1;  // the line feed, or the end of the text
      out_.lines.push_back(std::move(logical));
    }
    return std::move(out_);
  }

 private:
  bool next(Physical& line) {
    if (at_ >= text_.size()) return false;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    line = Physical{text_.substr(at_, end - at_), at_, ++number_};
    if (!line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
    at_ = end + 1;
    return true;
  }

  /// `# name=value` lines at the very top; the first line of any other kind ends them.
  Result<void> directives() {
    while (at_ < text_.size()) {
      const std::size_t before = at_;
      Physical line;
      next(line);
      std::string_view content = text::trim(line.text);
      const std::size_t equals = content.find('=');
      std::string_view name, value;
      if (!content.empty() && content.front() == '#' && equals != std::string_view::npos) {
        name = text::trim(content.substr(1, equals - 1));
        value = text::trim(content.substr(equals + 1));
      }
      bool directive = !name.empty() && !value.empty() && is_letter(name.front());
      for (const char c : name) directive = directive && (is_letter(c) || (c >= '0' && c <= '9'));
      if (!directive) {
        at_ = before;
        --number_;
        return {};
      }
      if (text::to_lower(name) != "escape") continue;
      if (value != "\\" && value != "`") {
        return make_error(ErrorCode::kConfig,
                          fmt::format("{}:{}: invalid escape character '{}'", file_name_, line.number, value),
                          "the escape directive takes \\ or `");
      }
      out_.escape = value.front();
    }
    return {};
  }

  /// Appends a physical line; true where it ends in a continuation.
  bool append(LogicalLine& logical, const Physical& line) const {
    std::string_view content = line.text;
    std::size_t end = content.size();
    while (end > 0 && (content[end - 1] == ' ' || content[end - 1] == '\t')) --end;
    const bool continues = end > 0 && content[end - 1] == out_.escape && (end == 1 || content[end - 2] != out_.escape);
    if (continues) content = content.substr(0, end - 1);
    for (std::size_t i = 0; i < content.size(); ++i) {
      logical.text += content[i];
      logical.origin.push_back(line.offset + i);
    }
    return continues;
  }

  LogicalLine join(Physical line) {
    LogicalLine logical;
    logical.line = line.number;
    while (!line.text.empty() && is_blank(line.text.front())) {
      line.text.remove_prefix(1);
      ++line.offset;
    }
    bool continues = append(logical, line);
    while (continues && next(line)) {
      const std::string_view content = text::trim(line.text);
      if (content.empty() || content.front() == '#') continue;
      continues = append(logical, line);
    }
    return logical;
  }

  Result<void> skip_heredocs(LogicalLine& logical) {
    for (const Heredoc& heredoc : heredocs_of(logical.text, out_.escape)) {
      logical.heredoc = true;
      bool closed = false;
      Physical line;
      while (!closed && next(line)) {
        std::string_view content = line.text;
        while (heredoc.strip_tabs && !content.empty() && content.front() == '\t') content.remove_prefix(1);
        closed = content == heredoc.terminator;
      }
      if (!closed) {
        return make_error(ErrorCode::kConfig,
                          fmt::format("{}:{}: the heredoc '{}' is not closed", file_name_, logical.line,
                                      text::printable(heredoc.terminator)),
                          fmt::format("end it with a line that holds only {}", text::printable(heredoc.terminator)));
      }
    }
    return {};
  }

  std::string_view text_;
  std::string_view file_name_;
  std::size_t at_ = 0;
  unsigned number_ = 0;
  DockerfileLines out_;
};

}  // namespace

Result<DockerfileLines> read_dockerfile_lines(std::string_view text, std::string_view file_name) {
  return LineReader(text, file_name).run();
}

}  // namespace otto::images
