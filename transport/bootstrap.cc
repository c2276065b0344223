// Escapes are those of printf's %b (POSIX): \\ and \0ooo. A script of plain ASCII text grows by its newlines only.
//
// dash, busybox and bash read pipes and sockets byte by byte in `read`, so the rest of standard input stays for the
// script: 20 KB take a few milliseconds.
#include "transport/bootstrap.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cstdint>

#include "graph/base/result.h"
#include "graph/base/text.h"

namespace otto::transport {
namespace {

constexpr std::string_view kEndOfInput = "otto: the connection broke before the script was there";

bool must_escape(char c) { return c == '\\' || c < ' ' || c > '~'; }

}  // namespace

std::string_view bootstrap_line() {
  static const std::string line =
      fmt::format("exec sh -c 'IFS= read -r s || {{ echo \"{}\" >&2; exit 255; }}; eval \"$(printf %b \"$s\")\"' otto",
                  kEndOfInput);
  return line;
}

/// Words are kept short: csh refuses those of more than 1024 characters. They are printed one after the other, so none
/// ends within an escape. (Joined as "$*" with an empty IFS, ksh93 puts a backslash before a word that begins with
/// '|'.)
std::string script_line(std::string_view text) {
  constexpr std::size_t kWord = 800;
  std::string line = "exec sh -c 'eval \"$(printf %b \"$@\")\"' otto";
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) line += fmt::format(" '{}'", word);
    word.clear();
  };
  for (const char c : text) {
    OTTO_CHECK(c != '\0');
    const bool plain = !must_escape(c) && c != '\'' && c != '!';
    word += plain ? std::string(1, c) : fmt::format("\\0{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    if (word.size() >= kWord) end_word();
  }
  end_word();
  return line;
}

std::string encode_script(std::string_view text) {
  std::string line;
  line.reserve(text.size() + text.size() / 8 + 1);
  for (const char c : text) {
    OTTO_CHECK(c != '\0');
    if (!must_escape(c)) {
      line += c;
    } else if (c == '\\') {
      line += "\\\\";
    } else if (c == '\n') {
      line += "\\n";
    } else {
      line += fmt::format("\\0{:03o}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  line += '\n';
  return line;
}

std::optional<std::string> decode_script(std::string_view line) {
  if (!line.ends_with('\n')) return std::nullopt;
  line.remove_suffix(1);
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      text += line[i];
      continue;
    }
    if (++i == line.size()) return std::nullopt;
    if (line[i] == '\\') {
      text += '\\';
    } else if (line[i] == 'n') {
      text += '\n';
    } else if (line[i] == '0' && i + 3 < line.size()) {
      unsigned value = 0;
      for (int digit = 0; digit < 3; ++digit) value = value * 8 + static_cast<unsigned>(line[++i] - '0');
      text += static_cast<char>(value);
    } else {
      return std::nullopt;
    }
  }
  return text;
}

std::string set_arguments(const std::vector<std::string>& args) {
  std::string line = "set --";
  for (const auto& arg : args) line += ' ' + text::shell_quote(arg);
  return line + '\n';
}

std::string assemble_script(std::string_view text, const std::vector<std::string>& args, std::string_view mark) {
  return fmt::format("echo {0}; echo {0} >&2\n{1}{2}", mark, set_arguments(args), text);
}

std::string random_token() {
  std::array<std::uint8_t, 16> bytes{};
  OTTO_CHECK(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return text::to_hex(bytes);
}

std::string MarkFilter::feed(std::string bytes) {
  if (found_) return bytes;
  held_ += bytes;
  const std::string line = mark_ + "\n";
  const auto at = held_.find(line);
  if (at == std::string::npos) return {};
  found_ = true;
  std::string after = held_.substr(at + line.size());
  held_.resize(at);
  return after;
}

}  // namespace otto::transport
