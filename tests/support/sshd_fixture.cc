// Starting, watching and ending the daemon.
//
// Readiness is sshd's own line "Server listening on", never a pause. The port is chosen before sshd binds it, so a lost
// race is answered by another port.
#include "tests/support/sshd_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>

#include "graph/base/text.h"
#include "graph/base/whole_file.h"
#include "transport/os/subprocess.h"

/// Read by the leak sanitizer: libssh2 1.11.1 forgets the previous shared secret at every key exchange after the first.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:curve25519_sha256\n"; }

namespace otto::testing {
namespace fs = std::filesystem;
namespace {

std::string user_name() { return ::getpwuid(::getuid())->pw_name; }

void write_file(const fs::path& path, const std::string& content) { std::ofstream(path) << content; }

std::string read_file(const fs::path& path) {
  const auto content = read_small_file(path);
  return content ? *content : std::string();
}

/// Children of each process, from /proc.
std::multimap<pid_t, pid_t> process_tree() {
  std::multimap<pid_t, pid_t> tree;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = read_file(entry.path() / "stat");
    const auto end = stat.rfind(')');
    if (end == std::string::npos) continue;
    tree.emplace(std::atoi(stat.c_str() + end + 4), std::atoi(name.c_str()));
  }
  return tree;
}

void signal_sshd_below(const std::multimap<pid_t, pid_t>& tree, pid_t parent, int number) {
  const auto [begin, end] = tree.equal_range(parent);
  for (auto it = begin; it != end; ++it) {
    const pid_t child = it->second;
    if (!read_file(fmt::format("/proc/{}/comm", child)).starts_with("sshd")) continue;
    ::kill(child, number);
    signal_sshd_below(tree, child, number);
  }
}

}  // namespace

std::string run_tool(const std::vector<std::string>& argv) {
  auto output = transport::run_and_collect(argv, Clock::now() + std::chrono::seconds(30), {});
  if (!output || output->wait_status != 0) {
    std::fprintf(stderr, "%s failed: %s\n", text::shell_join(argv).c_str(),
                 output ? output->err.c_str() : output.error().message.c_str());
    std::abort();
  }
  return output->out;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  OTTO_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  OTTO_CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

SshdFixture::SshdFixture(SshdOptions options) {
  std::string pattern = (fs::temp_directory_path() / "otto-sshd-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  fs::create_directory(home());
  for (const auto& type : options.host_keys) make_key("host_" + type, type, "", false);
  make_key("id_ed25519");
  if (::getuid() == 0) ::mkdir("/run/sshd", 0755);
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    write_config(options);
    start(options);
    if (await_listening()) return;
    stop();
  }
  std::fprintf(stderr, "sshd does not start: %s\n", log().c_str());
  std::abort();
}

SshdFixture::~SshdFixture() {
  signal_connections(SIGCONT);
  signal_connections(SIGKILL);
  stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void SshdFixture::write_config(const SshdOptions& options) {
  std::string config;
  for (const auto& line : options.config) config += line + "\n";
  for (const auto& type : options.host_keys) config += fmt::format("HostKey {}/host_{}\n", folder_.string(), type);
  config += fmt::format(
      "Port {}\nListenAddress 127.0.0.1\nAuthorizedKeysFile {}/authorized_keys\nStrictModes no\nPidFile none\n"
      "UsePAM {}\nPermitRootLogin yes\nLogLevel VERBOSE\nSetEnv HOME={}\n",
      port_, folder_.string(), options.pam ? "yes" : "no", home().string());
  write_file(folder_ / "sshd_config", config);
}

void SshdFixture::start(const SshdOptions& options) {
  std::array<int, 2> ends{};
  OTTO_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
  std::string command = fmt::format("exec /usr/sbin/sshd -D -e -f {}/sshd_config", folder_.string());
  if (!options.password.empty()) {
    const std::string hash{text::trim(run_tool({"openssl", "passwd", "-6", options.password}))};
    write_file(folder_ / "shadow", fmt::format("root:{}:19000:0:99999:7:::\n", hash));
    command =
        fmt::format("exec unshare -m sh -c 'mount --bind {}/shadow /etc/shadow && {}'", folder_.string(), command);
  }
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  OTTO_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(ends[1], STDERR_FILENO);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  log_pipe_ = ends[0];
  log_reader_ = std::jthread([this] {
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t got = ::read(log_pipe_, buffer.data(), buffer.size());
      auto log = log_.lock();
      log->append(got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "\nend of log\n");
      log_grew_.notify_all();
      if (got <= 0) return;
    }
  });
}

bool SshdFixture::await_listening() {
  auto log = log_.lock();
  log.wait_for(log_grew_, std::chrono::seconds(20), [](const std::string& text) {
    return text.find("Server listening on") != std::string::npos || text.find("end of log") != std::string::npos;
  });
  return log->find("Server listening on") != std::string::npos;
}

void SshdFixture::stop() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  if (log_reader_.joinable()) log_reader_.join();
  if (log_pipe_ >= 0) ::close(log_pipe_);
  log_pipe_ = -1;
}

std::string SshdFixture::host_key(const std::string& type) const {
  const auto fields = text::split(read_file(folder_ / ("host_" + type + ".pub")), ' ');
  return fields[0] + " " + fields[1];
}

transport::Address SshdFixture::address(const std::string& id) const {
  transport::Address address;
  address.id = id;
  address.host = "127.0.0.1";
  address.port = port_;
  address.user = user_name();
  address.identity_files = {(folder_ / "id_ed25519").string()};
  address.known_hosts = {known_hosts().string()};
  address.use_ssh_config = false;
  return address;
}

fs::path SshdFixture::make_key(const std::string& name, const std::string& type, const std::string& passphrase,
                               bool authorised) {
  const fs::path path = folder_ / name;
  std::vector<std::string> argv = {"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", name, "-f", path.string()};
  if (type == "rsa") argv.insert(argv.end(), {"-b", "2048"});
  if (!passphrase.empty()) argv.insert(argv.end(), {"-a", "1"});
  run_tool(argv);
  if (authorised) std::ofstream(folder_ / "authorized_keys", std::ios::app) << read_file(path.string() + ".pub");
  return path;
}

void SshdFixture::signal_connections(int number) const { signal_sshd_below(process_tree(), pid_, number); }

std::string SshdFixture::log() const { return *log_.lock(); }

std::unique_ptr<transport::Transport> connect_or_fail(const transport::Route& route,
                                                      const transport::Interaction& interaction) {
  auto connected = transport::connect(route, interaction);
  if (!connected) {
    ADD_FAILURE() << connected.error().message << " | " << connected.error().hint;
    return nullptr;
  }
  return std::move(connected).value();
}

}  // namespace otto::testing
