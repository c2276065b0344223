#include "engine/hosts/container_host.h"

#include <fmt/format.h>

#include <random>

#include "engine/docker/parent.h"
#include "engine/hosts/command_io.h"
#include "engine/hosts/unix_host.h"
#include "graph/base/text.h"
#include "otto/docker.h"
#include "transport/remote.h"

namespace otto::hosts {

namespace {

/// First line of the script's standard error, before any of the command's: the container's id, or "none".
constexpr std::string_view kHeader = "otto-container ";

/// Marks the command's processes, so that they can be found and ended inside the container.
std::string random_token() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

/// Ends the processes that carry the mark, inside the container: $1 is its id. Goes on there by itself once asked for.
std::string end_script(const docker::ParentSettings& settings, const std::string& token) {
  return docker::docker_prelude(settings) + fmt::format(R"sh(
otto_docker exec -d "$1" /bin/sh -c '
  for signal in TERM KILL; do
    for p in /proc/[0-9]*; do grep -qs "OTTO_EXEC_ID={token}" "$p/environ" && kill -$signal "${{p#/proc/}}"; done
    sleep 0.3 || sleep 1
  done
'
)sh",
                                                        fmt::arg("token", token));
}

/// The ending ignores further signals and leaves the job's process group, which may be told to end more than once and
/// is killed a second later: less than a call of docker may take. A shell without a reader gets SIGPIPE for saying
/// "Terminated", before its trap would run; a client of docker without a reader ends by SIGPIPE (141).
std::string exec_script(const docker::ParentSettings& settings, const ContainerAddress& address,
                        const std::string& token) {
  const auto label = [](std::string_view name, std::string_view value) {
    return " --filter label=com.docker.compose." + text::shell_quote(fmt::format("{}={}", name, value));
  };
  return docker::docker_prelude(settings) + "cid=$(otto_docker ps -q --no-trunc" +
         label("project", address.compose_project) + label("service", address.service) +
         label("container-number", std::to_string(address.replica)) + label("oneoff", "False") + ") || exit $?\n" +
         fmt::format(R"sh(
printf '{header}%s\n' "${{cid:-none}}" >&2
[ -n "$cid" ] || exit 1
otto_end() {{
  trap '' TERM INT HUP PIPE
  otto_setsid=$(command -v setsid) || otto_setsid=
  $otto_setsid sh -c {ending} sh "$cid" </dev/null >/dev/null 2>&1 &
}}
trap 'otto_end; exit 143' TERM INT HUP PIPE
otto_docker exec -i -e OTTO_EXEC_ID={token} "$cid" /bin/sh -c "$1"
otto_code=$?
[ $otto_code -ne 141 ] || otto_end
exit $otto_code
)sh",
                     fmt::arg("header", kHeader), fmt::arg("token", token),
                     fmt::arg("ending", text::shell_quote(end_script(settings, token))));
}

/// Takes the header line off standard error; everything else goes on to the command's own output.
class HeaderFilter {
 public:
  explicit HeaderFilter(CommandIo& io) : io_(io) {}

  void take(transport::Stream stream, std::string_view bytes) {
    if (stream == transport::Stream::kStdout || done_) return io_.take(stream, bytes);
    head_ += bytes;
    const std::size_t end = head_.find('\n');
    if (end == std::string::npos) return;
    done_ = true;
    if (head_.starts_with(kHeader)) {
      container_ = head_.substr(kHeader.size(), end - kHeader.size());
      if (end + 1 < head_.size()) io_.take(stream, std::string_view(head_).substr(end + 1));
    }
  }
  /// The container's id or "none"; empty: docker failed before, with these words.
  [[nodiscard]] const std::string& container() const { return container_; }
  [[nodiscard]] const std::string& words() const { return head_; }

 private:
  CommandIo& io_;
  bool done_ = false;
  std::string head_, container_;
};

class ContainerHost : public Host {
 public:
  ContainerHost(Workspace& workspace, ContainerAddress address) : workspace_(workspace), address_(std::move(address)) {}

  [[nodiscard]] const std::string& id() const override { return address_.host_id; }

  Result<CommandResult> run(const std::vector<std::string>& commands, const RunOptions& options) override {
    return execute(sequence_script(commands), options);
  }
  Result<CommandResult> oneshot(std::string_view command, const RunOptions& options) override {
    return execute(std::string(command), options);
  }

 private:
  Result<CommandResult> execute(const std::string& command, const RunOptions& options) {
    OTTO_TRY(std::optional<CommandResult> result, attempt(command, options));
    if (result) return std::move(*result);
    OTTO_RETURN_IF_ERROR(start_stack());
    OTTO_TRY(result, attempt(command, options));
    if (result) return std::move(*result);
    return not_running("its service does not stay up");
  }

  /// nullopt: the container does not run; nothing was executed.
  Result<std::optional<CommandResult>> attempt(const std::string& command, const RunOptions& options) {
    OTTO_TRY(transport::Remote * remote, workspace_.remote(*address_.target.host));
    const auto settings = execute::parent_settings(*address_.target.repo, *address_.target.host);
    CommandIo io(options);
    HeaderFilter filter(io);
    transport::Script script;
    script.text = exec_script(settings, address_, random_token());
    script.args = {command};
    io.attach(script);
    script.on_output = [&](transport::Stream stream, std::string_view bytes) { filter.take(stream, bytes); };
    OTTO_TRY(transport::Output output, remote->run_job(script));
    if (filter.container() == "none") return std::optional<CommandResult>();
    if (filter.container().empty()) {
      output.err = filter.words();
      return docker::docker_error(output, remote->host_id(), ErrorCode::kRemoteFailed, "docker does not answer");
    }
    return std::optional<CommandResult>(std::move(io).finish(output.status));
  }

  Result<void> start_stack() {
    docker::UpOptions up;
    up.on = address_.target.host->id;
    up.build = false;
    const auto started = docker::compose_up(workspace_, up);
    if (started.ok()) return {};
    if (started.error().code == ErrorCode::kInterrupted || started.error().code == ErrorCode::kConnectionLost) {
      return started.error();
    }
    return not_running(started.error().message);
  }

  [[nodiscard]] Error not_running(const std::string& why) const {
    return make_error(ErrorCode::kNotRunning,
                      fmt::format("container '{}' does not run and cannot be started: {}", id(), why),
                      "run `otto docker up` first");
  }

  Workspace& workspace_;
  ContainerAddress address_;
};

}  // namespace

std::unique_ptr<Host> make_container_host(Workspace& workspace, ContainerAddress address) {
  return std::make_unique<ContainerHost>(workspace, std::move(address));
}

}  // namespace otto::hosts
