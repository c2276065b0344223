// Reading OpenSSH's configuration files for lines that count, as ssh's readconf.c walks them: keyword, blanks or '=',
// words; a Host line opens a block; an Include stands for the lines of the files it names.
#include "transport/ssh/ssh_config_files.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "graph/base/account.h"
#include "graph/base/text.h"
#include "graph/base/whole_file.h"
#include "transport/os/subprocess.h"
#include "transport/ssh/ssh_config.h"

namespace otto::transport {
namespace {

constexpr std::size_t kDepth = 16;  // of Includes, as readconf.c

/// Keys of ssh_config(5) that change nothing that otto asks `ssh -G` for, whatever their values; a blank around each.
constexpr std::string_view kWithoutEffect =
    " addkeystoagent batchmode bindinterface casignaturealgorithms certificatefile"
    " checkhostip clearallforwardings compression connectionattempts controlmaster controlpath"
    " controlpersist dynamicforward enablesshkeysign escapechar exitonforwardfailure fingerprinthash"
    " forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports"
    " gssapiauthentication gssapidelegatecredentials hashknownhosts hostbasedauthentication ipqos"
    " kbdinteractiveauthentication localcommand localforward loglevel"
    " nohostauthenticationforlocalhost numberofpasswordprompts passwordauthentication permitlocalcommand"
    " pkcs11provider preferredauthentications rekeylimit remotecommand"
    " remoteforward requesttty securitykeyprovider sendenv serveralivecountmax sessiontype setenv"
    " stdinnull streamlocalbindmask streamlocalbindunlink syslogfacility tcpkeepalive tunnel tunneldevice"
    " updatehostkeys verifyhostkeydns visualhostkey xauthlocation"
    " ";

/// What Match may ask without looking further than ssh's arguments, its account and its files; a blank around each.
constexpr std::string_view kOwnCriteria = " host originalhost user localuser ";

bool is_one_of(std::string_view words, std::string_view word) {
  return words.find(" " + std::string(word) + " ") != std::string_view::npos;
}

class Reader {
 public:
  Reader(const std::string& host, const std::string& home) : host_(host), home_(home) {}

  /// A file whose lines before the first Host are meant for the host.
  void read_file(const std::string& path, const std::string& folder, std::size_t depth) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return raise(SshAnswerFrom::kMore);
    const bool ours = status.st_uid == 0 || status.st_uid == ::getuid();
    if (!ours || (status.st_mode & 022) != 0) return raise(SshAnswerFrom::kMore);
    const auto content = read_small_file(path);
    if (!content.ok()) return raise(SshAnswerFrom::kMore);
    reading_.content += fmt::format("{}\n{}\n{}\n", path, content->size(), *content);
    bool active = true;
    for (const auto& line : text::split(*content, '\n')) {
      read_line(line, folder, active, depth);
      if (reading_.from == SshAnswerFrom::kMore) return;
    }
  }

  SshConfigReading take() { return std::move(reading_); }

 private:
  void raise(SshAnswerFrom from) { reading_.from = std::max(reading_.from, from); }

  /// `active`: the line may be meant for the host; a Host or Match line says so of those after it.
  void read_line(std::string_view line, const std::string& folder, bool& active, std::size_t depth) {
    line = text::trim(line);
    if (line.empty() || line.front() == '#') return;
    const auto end = std::min(line.find_first_of(" \t="), line.size());
    const std::string key = text::to_lower(line.substr(0, end));
    if (is_one_of(kWithoutEffect, key)) return;
    auto rest = text::trim(line.substr(end));
    if (rest.starts_with('=')) rest.remove_prefix(1);
    const auto words = ssh_config_words(rest);
    const bool plain = !words.empty() && rest.find_first_of("\"'\\") == std::string_view::npos;
    if (key == "host") {
      if (!plain) return raise(SshAnswerFrom::kMore);
      active = std::ranges::any_of(words, [&](const std::string& word) { return may_match(word); });
    } else if (key == "match") {
      active = true;
      raise(plain && asks_of_its_own(words) ? SshAnswerFrom::kFiles : SshAnswerFrom::kMore);
    } else if (key == "include") {
      if (!active) return;
      if (!plain) return raise(SshAnswerFrom::kMore);
      for (const auto& word : words) read_included(word, folder, depth);
    } else if (!is_honoured_ssh_key(key)) {
      raise(SshAnswerFrom::kMore);
    } else if (active) {
      raise(rest.find('$') == std::string_view::npos ? SshAnswerFrom::kFiles : SshAnswerFrom::kMore);
    }
  }

  /// A pattern that is negated, or is no pattern of fnmatch(3), is taken to match.
  bool may_match(const std::string& pattern) const {
    return pattern.starts_with('!') || pattern.find('[') != std::string::npos ||
           ::fnmatch(pattern.c_str(), host_.c_str(), FNM_CASEFOLD | FNM_NOESCAPE) == 0;
  }

  static bool asks_of_its_own(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string criterion = text::to_lower(words[i].substr(words[i].starts_with('!') ? 1 : 0));
      if (criterion == "all") continue;
      if (!is_one_of(kOwnCriteria, criterion) || ++i == words.size()) return false;
    }
    return true;
  }

  void read_included(const std::string& word, const std::string& folder, std::size_t depth) {
    if (depth == kDepth || word.find_first_of("$%") != std::string::npos) return raise(SshAnswerFrom::kMore);
    std::string pattern = word;
    if (word.starts_with("~/")) {
      pattern = home_ + word.substr(1);
    } else if (word.starts_with('~')) {
      return raise(SshAnswerFrom::kMore);
    } else if (!word.starts_with('/')) {
      pattern = folder + "/" + word;
    }
    glob_t found{};
    const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
    const std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (status != 0 && status != GLOB_NOMATCH) return raise(SshAnswerFrom::kMore);
    for (const auto& path : paths) read_file(path, folder, depth + 1);
  }

  const std::string& host_;
  const std::string& home_;
  SshConfigReading reading_;
};

/// A plain name or address: nothing that ssh would take apart (user@, ssh://, %-tokens).
bool is_plain(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':';
  });
}

}  // namespace

std::optional<SshConfigFiles> find_ssh_config_files() {
  constexpr const char* kDistributions = "/usr/bin/ssh";
  const auto program = find_program("ssh");
  std::error_code error;
  if (!program || std::filesystem::canonical(*program, error) != kDistributions) return std::nullopt;
  const std::string& home = account().home;
  return SshConfigFiles{kDistributions, home, home + "/.ssh/config", "/etc/ssh/ssh_config"};
}

SshConfigReading read_ssh_config_files(const SshConfigFiles& files, std::string_view host) {
  if (!is_plain(host)) return {SshAnswerFrom::kMore, {}};
  const std::string name(host);
  Reader reader(name, files.home);
  const auto folder_of = [](const std::string& path) { return path.substr(0, path.rfind('/')); };
  const bool has_own = ::access(files.user.c_str(), F_OK) == 0 || errno != ENOENT;
  if (has_own) reader.read_file(files.user, folder_of(files.user), 0);
  reader.read_file(files.system, folder_of(files.system), 0);
  return reader.take();
}

}  // namespace otto::transport
