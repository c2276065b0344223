// Reading OpenSSH's configuration files for lines that count, as ssh's readconf.c walks them: keyword, blanks or '=',
// words; a Host line opens a block; an Include stands for the lines of the files it names.
#include "transport/ssh_config_files.h"

#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "graph/base/text.h"
#include "transport/fd.h"
#include "transport/ssh_config.h"
#include "transport/subprocess.h"

namespace otto::transport {
namespace {

constexpr std::size_t kDepth = 16;  // of Includes, as readconf.c

/// Keys of ssh_config(5) that change nothing that otto asks `ssh -G` for, whatever their values; a blank around each.
constexpr std::string_view kWithoutEffect =
    " addkeystoagent addressfamily batchmode checkhostip ciphers clearallforwardings compression"
    " connectionattempts controlmaster controlpath controlpersist dynamicforward enablesshkeysign escapechar"
    " exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11 forwardx11timeout"
    " forwardx11trusted gatewayports gssapiauthentication gssapidelegatecredentials hashknownhosts"
    " hostbasedauthentication hostkeyalgorithms ipqos kbdinteractiveauthentication kexalgorithms localcommand"
    " localforward loglevel macs nohostauthenticationforlocalhost numberofpasswordprompts"
    " passwordauthentication permitlocalcommand preferredauthentications pubkeyacceptedalgorithms"
    " pubkeyauthentication remotecommand remoteforward requesttty sendenv serveralivecountmax sessiontype"
    " setenv stdinnull streamlocalbindmask streamlocalbindunlink syslogfacility tcpkeepalive tunnel"
    " tunneldevice updatehostkeys verifyhostkeydns visualhostkey xauthlocation"
    " ";

class Reader {
 public:
  Reader(const std::string& host, const std::string& home) : host_(host), home_(home) {}

  /// Whether no line of the file counts. `active`: those before its first Host line are meant for the host.
  bool is_silent(const std::string& path, const std::string& folder, bool active, std::size_t depth) const {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    if ((status.st_uid != 0 && status.st_uid != ::getuid()) || (status.st_mode & 022) != 0) return false;
    const auto content = read_small_file(path);
    if (!content.ok()) return false;
    return std::ranges::all_of(text::split(*content, '\n'),
                               [&](const std::string& line) { return line_is_silent(line, folder, active, depth); });
  }

 private:
  bool line_is_silent(std::string_view line, const std::string& folder, bool& active, std::size_t depth) const {
    line = text::trim(line);
    if (line.empty() || line.front() == '#') return true;
    const auto end = std::min(line.find_first_of(" \t="), line.size());
    const std::string key = text::to_lower(line.substr(0, end));
    if (kWithoutEffect.find(" " + key + " ") != std::string_view::npos) return true;
    if (key != "host" && key != "include") return !active && is_honoured_ssh_key(key);

    auto rest = text::trim(line.substr(end));
    if (rest.starts_with('=')) rest.remove_prefix(1);
    const auto words = ssh_config_words(rest);
    if (words.empty() || rest.find_first_of("\"'\\") != std::string_view::npos) return false;
    if (key == "host") {
      active = std::ranges::any_of(words, [&](const std::string& word) { return may_match(word); });
      return true;
    }
    return !active || std::ranges::all_of(
                          words, [&](const std::string& word) { return includes_are_silent(word, folder, depth); });
  }

  /// A pattern that is negated, or is no pattern of fnmatch(3), is taken to match.
  bool may_match(const std::string& pattern) const {
    return pattern.starts_with('!') || pattern.find('[') != std::string::npos ||
           ::fnmatch(pattern.c_str(), host_.c_str(), FNM_CASEFOLD | FNM_NOESCAPE) == 0;
  }

  bool includes_are_silent(const std::string& word, const std::string& folder, std::size_t depth) const {
    if (depth == kDepth || word.find_first_of("$%") != std::string::npos) return false;
    std::string pattern = word;
    if (word.starts_with("~/")) {
      pattern = home_ + word.substr(1);
    } else if (word.starts_with('~')) {
      return false;
    } else if (!word.starts_with('/')) {
      pattern = folder + "/" + word;
    }
    glob_t found{};
    const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
    const std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    return status == GLOB_NOMATCH || (status == 0 && std::ranges::all_of(paths, [&](const std::string& path) {
                                        return is_silent(path, folder, true, depth + 1);
                                      }));
  }

  const std::string& host_;
  const std::string& home_;
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
  const auto program = find_program("ssh");
  std::error_code error;
  if (!program || std::filesystem::canonical(*program, error) != "/usr/bin/ssh") return std::nullopt;
  std::string home = account_home();
  std::string user = home + "/.ssh/config";
  return SshConfigFiles{std::move(home), std::move(user), "/etc/ssh/ssh_config"};
}

bool ssh_config_is_silent(const SshConfigFiles& files, std::string_view host) {
  if (!is_plain(host)) return false;
  const std::string name(host);
  const Reader reader(name, files.home);
  const auto folder_of = [](const std::string& path) { return path.substr(0, path.rfind('/')); };
  const bool has_own = ::access(files.user.c_str(), F_OK) == 0 || errno != ENOENT;
  return (!has_own || reader.is_silent(files.user, folder_of(files.user), true, 0)) &&
         reader.is_silent(files.system, folder_of(files.system), true, 0);
}

}  // namespace otto::transport
