#include "transport/telnet/telnet_login.h"

#include <regex>

#include "graph/base/text.h"

namespace otto::transport {
namespace {

constexpr std::size_t kKept = 4096;
constexpr int kPatience = 12;  // silences before a line is tried though nothing looks like a prompt, or once more

/// The last line, without what colours it.
std::string last_line(const std::string& shown) {
  static const std::regex kEscapes("\x1b(\\[[0-9;?]*[A-Za-z]|\\][^\x07]*\x07|[()][A-Za-z0-9])");
  const std::size_t feed = shown.find_last_of("\r\n");
  const std::string line = shown.substr(feed == std::string::npos ? 0 : feed + 1);
  return std::regex_replace(line, kEscapes, "");
}

bool matches(const std::string& line, const std::regex& pattern) { return std::regex_search(line, pattern); }

struct Prompts {
  std::regex user{R"((^|[^a-z])(login|log in|user ?name|user|account)( id| name)?( \([^)]*\))? ?[:>] *$)",
                  std::regex::icase | std::regex::optimize};
  std::regex last_login{R"(last (failed )?login: *$)", std::regex::icase};
  std::regex password{R"((pass ?(word|code|phrase|wd)?|passwort|mot de passe)[^:]*: *$)", std::regex::icase};
  std::regex shell{R"([$#>%~\]\)] *$)"};
  std::regex incorrect{R"(login incorrect|incorrect (login|password)|authentication fail|login failed|access denied)",
                       std::regex::icase};
};

const Prompts& prompts() {
  static const Prompts compiled;  // by the first login: no other command has to wait for it
  return compiled;
}

}  // namespace

LoginStep LoginDialogue::type(bool& flag, LoginStep step) {
  flag = true;
  shown_.clear();
  silences_ = 0;
  return step;
}

LoginStep LoginDialogue::heard(std::string_view bytes) {
  shown_ += bytes;
  last_words_ += bytes;
  silences_ = 0;
  if (shown_.find(answer_) != std::string::npos) return LoginStep::kReady;
  if (shown_.size() > 2 * kKept) shown_.erase(0, shown_.size() - kKept);
  if (last_words_.size() > 2 * kKept) last_words_.erase(0, last_words_.size() - kKept);
  return LoginStep::kWait;
}

LoginStep LoginDialogue::silent() {
  ++silences_;
  const std::string line = last_line(shown_);
  if (password_typed_ && std::regex_search(shown_, prompts().incorrect)) return LoginStep::kRefused;
  if (matches(line, prompts().password)) {
    return password_typed_ ? LoginStep::kRefused : type(password_typed_, LoginStep::kTypePassword);
  }
  if (matches(line, prompts().user) && !matches(line, prompts().last_login)) {
    return user_typed_ ? LoginStep::kRefused : type(user_typed_, LoginStep::kTypeUser);
  }
  const bool prompt = probes_ == 0 && !shown_.empty() && matches(line, prompts().shell);
  if (!prompt && silences_ % kPatience != 0) return LoginStep::kWait;
  ++probes_;
  return LoginStep::kTypeProbe;
}

std::string LoginDialogue::said() const {
  std::string words;
  for (const std::string& line : text::split(last_words_, '\n')) {
    const std::string shown(text::trim(text::printable(text::trim(line))));
    if (!shown.empty()) words = shown;
    if (std::regex_search(shown, prompts().incorrect)) return shown;
  }
  return words;
}

}  // namespace otto::transport
