// What an edit costs a stage: round trips of the upload phase, and where chunks begin to pay for a large file.
//
//   stage_bench RTT_MS NEAR FAR     ssh hosts as ~/.ssh/config knows them; FAR is NEAR by a link of that round-trip
//   time
//
// Round trips are (far - near) / RTT, medians of 9. Then one edit in the middle of a file that does not compress, at
// FAR: sent whole (its chunk list removed before) and as chunks.
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/stage/stage.h"
#include "tests/support/noise.h"
#include "transport/connect.h"
#include "transport/remote.h"

namespace {

using namespace otto;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;
constexpr int kRounds = 9;

template <typename T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "{}\n{}\n", result.error().message, result.error().hint);
  std::exit(1);
}

double median(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// One file and its stage on a host.
class Subject {
 public:
  Subject(const std::string& host, const fs::path& folder)
      : remote_(connect(host)), folder_(folder), root_("/tmp/otto-stage-bench-" + std::to_string(::getpid())) {}
  ~Subject() { run("rm -rf \"$1\""); }

  void forget_chunks() { run("rm -rf \"$1\"/ctx/chunks"); }

  /// Brings the stage to hold `content`; the seconds it took.
  double bring(const std::string& content) {
    std::ofstream(folder_ / "file", std::ios::binary | std::ios::trunc) << content;
    graph::ContextManifest wanted;
    wanted.entries.push_back({"file", graph::EntryType::kFile, 0644, content.size(), 1, graph::sha256(content), {}});
    stage::StageRequest request;
    request.key = "ctx";
    request.source = folder_;
    request.wanted = &wanted;
    request.believed = believed_;
    request.believed_stamp = stamp_;
    const auto begin = std::chrono::steady_clock::now();
    const auto state = must(stage::bring_stage(remote_, {root_, true, true}, request));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    believed_ = std::move(wanted);
    stamp_ = state.stamp;
    sent_ = state.uploaded_bytes;
    return took.count();
  }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  static std::unique_ptr<transport::Transport> connect(const std::string& host) {
    transport::Route route;
    route.target.id = route.target.host = host;
    return must(transport::connect(route, {}));
  }
  void run(const std::string& text) {
    transport::Script script;
    script.text = text;
    script.args = {root_};
    must(remote_.run(script));
  }

  transport::Remote remote_;
  fs::path folder_;
  std::string root_;
  std::optional<graph::ContextManifest> believed_;
  std::string stamp_;
  std::uint64_t sent_ = 0;
};

double small_edit(const std::string& host, const fs::path& folder) {
  Subject subject(host, folder);
  std::vector<double> times;
  subject.bring("first");
  for (int round = 0; round < kRounds; ++round) times.push_back(subject.bring(fmt::format("edit {}", round)));
  return median(times);
}

void large_edit(const std::string& host, const fs::path& folder, std::size_t size) {
  Subject subject(host, folder);
  auto content = noise(size, size);
  subject.bring(content);
  std::vector<double> whole;
  std::vector<double> chunks;
  std::uint64_t whole_sent = 0;
  for (int round = 0; round < kRounds; ++round) {
    content[size / 2] = static_cast<char>(content[size / 2] + 1);
    chunks.push_back(subject.bring(content));
    const auto chunks_sent = subject.sent();
    subject.forget_chunks();
    content[size / 2] = static_cast<char>(content[size / 2] + 1);
    whole.push_back(subject.bring(content));
    whole_sent = subject.sent();
    if (round == 0) fmt::print("{:>10} bytes: {:>8} sent as chunks, ", size, chunks_sent);
  }
  fmt::print("{:>9} whole; {:.3f} s and {:.3f} s, ratio {:.2f}\n", whole_sent, median(chunks), median(whole),
             median(chunks) / median(whole));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: {} RTT_MS NEAR FAR\n", argv[0]);
    return 2;
  }
  std::string folder = (fs::temp_directory_path() / "otto-stage-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  const double near = small_edit(argv[2], folder);
  const double far = small_edit(argv[3], folder);
  fmt::print("one small edit: near {:.3f} s, far {:.3f} s: {:.1f} round trips of {} ms\n", near, far,
             (far - near) * 1000 / std::stod(argv[1]), argv[1]);
  for (std::size_t size : {std::size_t{1} << 18U, std::size_t{1} << 19U, std::size_t{1} << 20U, std::size_t{1} << 22U,
                           std::size_t{1} << 24U, std::size_t{1} << 26U})
    large_edit(argv[3], folder, size);
  fs::remove_all(folder);
  return 0;
}
