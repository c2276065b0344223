// The scripts that reach into a container, run on its parent, and what they say about how far they came.
//
// Standard error (of a terminal: its one output) begins with a line that names the container ("otto-container ID", or
// "none"), then, from inside of it, one that says that its shell has begun. Everything after that is the command's own.
// Pure, but for the filter's state.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/parent/docker_command.h"
#include "transport/transport.h"

namespace otto::hosts {

/// What is done with the container once it is found.
enum class ContainerEntry { kShell, kTerminal, kProgram, kCopyIn, kCopyOut };

/// The labels compose gives to one container.
struct ContainerLabels {
  std::string project, service, number;
};

/// `token` marks the command's processes, so that they can be found and ended inside the container.
std::string container_script(const parent::ParentSettings& settings, const ContainerLabels& labels,
                             ContainerEntry entry, std::string_view token);

/// Takes those lines off standard error; `pass_on` gets everything else, once the command has begun.
class ContainerFilter {
 public:
  using Sink = std::function<void(transport::Stream stream, std::string_view bytes)>;
  ContainerFilter(ContainerEntry entry, Sink pass_on, std::function<void()> on_begun)
      : entry_(entry), pass_on_(std::move(pass_on)), on_begun_(std::move(on_begun)) {}

  void take(transport::Stream stream, std::string_view bytes);
  /// The container's id or "none"; empty: docker failed before.
  [[nodiscard]] const std::string& container() const { return container_; }
  [[nodiscard]] bool begun() const { return begun_; }
  /// What was said instead of the lines that are missing, on either output: where the command has not begun.
  [[nodiscard]] std::string words() const { return held_ + early_; }

 private:
  bool next_line(std::string& line);

  ContainerEntry entry_;
  Sink pass_on_;
  std::function<void()> on_begun_;
  bool begun_ = false;
  std::size_t taken_ = 0;
  std::string held_, container_;
  std::string early_;  ///< standard output from before
};

}  // namespace otto::hosts
