// What planning a large repo costs: plan_bench OTTO [--images N] [--files N] [--runs N] [--in DIR]
//
// Makes a repo of N images (1,000 unless told), in chains and fans of ten, each with a small context of its own, and
// prints two things. The plan: from inputs that are read and a probe that is there to a verdict with its reasons for
// each image, evidence from the memo included; a tenth of the contexts is edited. And a whole `docker build --dry-run`
// of the binary OTTO, with a parent that refuses the connection, beside two floors measured in the same run: the same
// with one image, and the bare system calls that nobody can do without (stat and read of each Dockerfile, listing each
// context, stat of each file). All of it processor time.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "cache/build_store.h"
#include "cache/manifest_store.h"
#include "engine/config/hosts.h"
#include "engine/config/settings.h"
#include "engine/images/base_images.h"
#include "engine/images/image_evidence.h"
#include "engine/images/image_inputs.h"

namespace {

using namespace otto;
namespace fs = std::filesystem;

constexpr double kWantedMs = 50;

struct Options {
  fs::path otto;
  int images = 1000;
  int files = 4;
  int runs = 7;
  fs::path in = fs::temp_directory_path();
};

template <typename T>
T value_of(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

double milliseconds(const rusage& used) {
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

/// Image 10 k is built from a base image; of the other nine of each ten, those of even tens are a chain and those of
/// odd tens all from the first.
std::string base_of(int image) {
  if (image % 10 == 0) return "base:1";
  const int ten = image / 10 * 10;
  return fmt::format("plan-i{}", ten / 10 % 2 == 0 ? image - 1 : ten);
}

fs::path make_repo(const fs::path& root, int images, int files) {
  write(root / "labs/hosts.json",
        R"([{"ne": "pepper", "ip": "127.0.0.1", "creds": {"me": null}, "docker_capable": true, "labs": ["veggies"],
             "ssh_options": {"port": 1, "use_ssh_config": false}}])");
  std::string settings = "name = \"plan\"\nlabs = [\"${sutDir}/labs\"]\n";
  for (int i = 0; i < images; ++i) {
    const std::string name = fmt::format("i{}", i);
    write(root / name / "Dockerfile", fmt::format("FROM {}\nCOPY . /srv\n", base_of(i)));
    for (int file = 0; file < files; ++file) write(root / name / fmt::format("file{}", file), name + "\n");
    settings += fmt::format(
        "[[docker.images]]\nname = \"{0}\"\ndockerfile = \"${{sutDir}}/{0}/Dockerfile\"\ncontext = "
        "\"${{sutDir}}/{0}\"\n",
        name);
  }
  write(root / ".otto/settings.toml", settings);
  return root;
}

double used_so_far() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return milliseconds(used);
}

struct PlanCost {
  double ms = 0;
  std::size_t stale = 0;
};

/// The plan alone, of a repo whose images were all built from what it held before a tenth of it was edited.
class Plan {
 public:
  Plan(const Options& options, const fs::path& root) : settings_(value_of(config::load_settings(root))) {
    std::vector<std::string> warnings;
    memo_.emplace(value_of(cache::Database::open(options.in / "plan.db", cache::OpenMode::kReadWrite, warnings)));
    host_.id = "pepper";
    const images::RepoInputs built = read();
    for (const images::ImageInputs& image : built.images) {
      probe_.image_ids[image.tag] = "sha256:" + image.hash;
      remember(image);
    }
    for (int i = 0; i < options.images; i += 10) {
      std::ofstream(root / fmt::format("i{}", i) / "file0", std::ios::app) << "edited\n";
    }
    now_ = read();
  }

  PlanCost measure() {
    PlanCost cost;
    const double begin = used_so_far();
    images::settle_bases(now_, {});
    images::ImageEvidenceReader evidence(*memo_, target_, probe_, false);
    for (const images::ImageInputs& image : now_.images) {
      const images::ImageVerdict verdict = images::judge_image(image, value_of(evidence.evidence_for(image)));
      if (verdict.stale && !verdict.reasons.empty()) ++cost.stale;
    }
    cost.ms = used_so_far() - begin;
    return cost;
  }

 private:
  images::RepoInputs read() {
    images::ReadRequest request;
    request.repo = &settings_;
    request.memo = &*memo_;
    request.reporter = &null_reporter();
    return value_of(images::read_images(request));
  }
  void remember(const images::ImageInputs& image) {
    cache::BuildRecord build;
    build.project = settings_.name;
    build.image = image.name();
    build.parent = host_.id;
    build.hash = image.hash;
    build.tag = image.tag;
    build.fingerprint = image.fingerprint;
    cache::ManifestStore manifests(*memo_);
    if (!manifests.store_manifest(image.context->scan.manifest, image.context->hash).ok()) std::exit(1);
    value_of(cache::BuildStore(*memo_).record(build));
  }

  const config::Settings settings_;
  config::HostEntry host_;
  const workspace::Target target_{&settings_, &host_, {}};
  std::optional<cache::Database> memo_;
  parent::Probe probe_;
  images::RepoInputs now_;
};

/// The processor time of one `docker build --dry-run`.
double whole_command(const Options& options, const fs::path& repo) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int nothing = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nothing, fd);
    ::setenv("OTTO_STATE_DIR", (options.in / "state").c_str(), 1);
    ::execl(options.otto.c_str(), "otto", "-q", "--repo-dir", repo.c_str(), "docker", "build", "-n", nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 2) {
    fmt::print(stderr, "{} did not plan\n", options.otto.string());
    std::exit(1);
  }
  return milliseconds(used);
}

/// The system calls alone.
double floor_of(const fs::path& repo, int images) {
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  std::vector<char> bytes(4096);
  for (int i = 0; i < images; ++i) {
    const std::string context = fmt::format("{}/i{}", repo.string(), i);
    const std::string dockerfile = context + "/Dockerfile";
    struct stat status {};
    const int file = ::open(dockerfile.c_str(), O_RDONLY);
    ::fstat(file, &status);
    if (::read(file, bytes.data(), bytes.size()) < 0) std::exit(1);
    ::close(file);
    for (const fs::directory_entry& entry : fs::directory_iterator(context)) ::lstat(entry.path().c_str(), &status);
  }
  ::getrusage(RUSAGE_SELF, &after);
  return milliseconds(after) - milliseconds(before);
}

double least(int runs, const std::function<double()>& measure) {
  double least = measure();
  for (int run = 1; run < runs; ++run) least = std::min(least, measure());
  return least;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool valued = i + 1 < argc;
    if (word == "--images" && valued) {
      options.images = std::atoi(argv[++i]);
    } else if (word == "--files" && valued) {
      options.files = std::atoi(argv[++i]);
    } else if (word == "--runs" && valued) {
      options.runs = std::atoi(argv[++i]);
    } else if (word == "--in" && valued) {
      options.in = argv[++i];
    } else if (word.front() != '-' && options.otto.empty()) {
      options.otto = fs::absolute(word);
    } else {
      options.otto.clear();
      break;
    }
  }
  if (!options.otto.empty()) return options;
  fmt::print(stderr, "usage: plan_bench OTTO [--images N] [--files N] [--runs N] [--in DIR]\n");
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  Options options = parse(argc, argv);
  options.in /= fmt::format("otto-plan-bench-{}", ::getpid());
  const fs::path all = make_repo(options.in / "all", options.images, options.files);
  const fs::path one = make_repo(options.in / "one", 1, options.files);
  ::usleep(100'000);  // so that no file is racy when it is first seen
  whole_command(options, all), whole_command(options, one);
  const double took = least(options.runs, [&] { return whole_command(options, all); });
  const double start = least(options.runs, [&] { return whole_command(options, one); });
  const double calls = least(options.runs, [&] { return floor_of(all, options.images); });
  Plan plan(options, all);
  const std::size_t stale = plan.measure().stale;
  const double planned = least(options.runs, [&] { return plan.measure().ms; });
  fmt::print("plan of {} images, {} of them stale: {:.1f} ms (wanted {:.0f}, {:.2f}x)\n", options.images, stale,
             planned, kWantedMs, planned / kWantedMs);
  fmt::print(
      "whole docker build --dry-run: {:.1f} ms; with one image {:.1f} ms; bare system calls {:.1f} ms; {:.2f}x of "
      "both floors\n",
      took, start, calls, took / (start + calls));
  fs::remove_all(options.in);
}
