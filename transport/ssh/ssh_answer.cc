#include "transport/ssh/ssh_answer.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/base/account.h"
#include "graph/base/text.h"
#include "transport/os/subprocess.h"

namespace otto::transport {
namespace {

constexpr std::chrono::seconds kSshGTimeout{10};

std::vector<std::string> ssh_arguments(const Address& address) {
  std::vector<std::string> argv = {"ssh", "-G"};
  if (address.port) argv.insert(argv.end(), {"-p", std::to_string(*address.port)});
  if (address.user) argv.insert(argv.end(), {"-l", *address.user});
  argv.insert(argv.end(), {"--", address.host});
  return argv;
}

/// All that the answer follows from, when it follows from files alone; empty where ssh cannot be looked at.
std::string question_of(const std::vector<std::string>& argv, const SshConfigFiles& files, const std::string& content) {
  struct stat ssh {};
  if (::stat(files.program.c_str(), &ssh) != 0) return {};
  return fmt::format("{}\n{} {}.{:09}\n{} {} {}\n{}\n{}", text::join(argv, "\n"), ssh.st_size, ssh.st_mtim.tv_sec,
                     ssh.st_mtim.tv_nsec, ::getuid(), account().name, files.home, honoured_ssh_keys(), content);
}

std::string honoured_lines(std::string_view output) {
  std::string lines;
  for (const auto& line : text::split(output, '\n')) {
    if (is_honoured_ssh_key(std::string_view(line).substr(0, line.find(' ')))) lines += line + "\n";
  }
  return lines;
}

Result<std::string> ask_ssh(const std::vector<std::string>& argv, const std::string& id, const std::stop_token& stop) {
  OTTO_TRY(CommandOutput output, run_and_collect(argv, Clock::now() + kSshGTimeout, stop));
  if (output.wait_status == 0) return std::move(output.out);
  std::erase(output.err, '\r');  // with which ssh ends its lines
  return make_error(
      ErrorCode::kConfig,
      fmt::format("host '{}': ssh cannot read its configuration: {}", id, text::printable(text::trim(output.err))),
      "correct ~/.ssh/config, or set use_ssh_config = false for this host");
}

}  // namespace

Result<SshConfig> ssh_answer(const Address& address, const std::optional<SshConfigFiles>& files, SshAnswers* answers,
                             const std::stop_token& stop) {
  if (!find_program("ssh")) return default_ssh_config(address.host, home_directory());
  const auto read = [&] {
    return files ? read_ssh_config_files(*files, address.host) : SshConfigReading{SshAnswerFrom::kMore, {}};
  };
  const SshConfigReading reading = read();
  if (reading.from == SshAnswerFrom::kDefaults) return default_ssh_config(address.host, files->home);

  const auto argv = ssh_arguments(address);
  std::string question;
  if (answers != nullptr && reading.from == SshAnswerFrom::kFiles)
    question = question_of(argv, *files, reading.content);
  if (!question.empty()) {
    if (const auto known = answers->recall(question)) return parse_ssh_config(*known);
  }
  OTTO_TRY(const std::string output, ask_ssh(argv, address.id, stop));
  SshConfig config = parse_ssh_config(output);
  // ssh read the files after we did: what it says may be of others by now.
  if (!question.empty() && !config.proxy_command && read().content == reading.content) {
    answers->remember(question, honoured_lines(output));
  }
  return config;
}

Result<ResolvedHost> resolve_host(const Address& address, SshAnswers* answers, const std::stop_token& stop) {
  OTTO_RETURN_IF_ERROR(check_names(address));
  if (!address.use_ssh_config) return merge_config(address, default_ssh_config(address.host, home_directory()));
  OTTO_TRY(const SshConfig config, ssh_answer(address, find_ssh_config_files(), answers, stop));
  return merge_config(address, config);
}

}  // namespace otto::transport
