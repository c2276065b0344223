#include "tests/support/simulation/machine.h"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): setenv

#include <fstream>

#include "cache/database.h"
#include "engine/compose/compose_images.h"
#include "engine/images/build_repo.h"
#include "engine/images/prune_repo.h"
#include "engine/stack/bring_up.h"
#include "engine/stack/take_down.h"
#include "engine/workspace/opened.h"
#include "graph/base/whole_file.h"

namespace otto::simulation {

namespace {

namespace fs = std::filesystem;

docker::UpOptions up_options(Verb verb) {
  docker::UpOptions options;
  options.project = kProject;
  options.jobs = 1;
  options.build = verb != Verb::kUpNoBuild;
  options.wait = verb == Verb::kUpWait;
  if (verb == Verb::kUpService) options.services = {"api"};
  return options;
}

std::unique_ptr<cache::Database> memo_of(const std::string& image) {
  auto opened = cache::Database::in_memory(image);
  if (!opened.ok()) throw Broken(opened.error().message);
  return std::make_unique<cache::Database>(std::move(*opened));
}

/// Empty memos of schedules that are over: to make one costs more than all that is written to it.
std::vector<std::unique_ptr<cache::Database>>& spare_memos() {
  static std::vector<std::unique_ptr<cache::Database>> spare;
  return spare;
}

std::unique_ptr<cache::Database> empty_memo() {
  auto& spare = spare_memos();
  if (spare.empty()) return memo_of("");
  auto memo = std::move(spare.back());
  spare.pop_back();
  return memo;
}

/// The error of the first image that has one.
void note_image_error(const docker::BuildReport& report, Came& came) {
  for (const docker::ImageResult& image : report.images) {
    if (image.error && came.image_error.empty()) came.image_error = image.error->message;
  }
}

class MemoryMachine final : public Machine {
 public:
  explicit MemoryMachine(std::string root) : Machine(std::move(root)), memo_(empty_memo()) {}
  ~MemoryMachine() override {
    if (memo_->forget_everything().ok()) spare_memos().push_back(std::move(memo_));
  }

  Came run(Verb verb, Client& client) override {
    Came came;
    for (int attempt = 0; attempt < workspace::kInputAttempts; ++attempt) {
      came = run_once(verb, client);
      if (!came.error || came.error->code != ErrorCode::kInputsChanged) break;
    }
    return came;
  }
  [[nodiscard]] std::optional<Entry> read(const std::string& path) const override { return checkout.read(path); }

  void lose_memo() override { static_cast<void>(memo_->forget_everything()); }
  void keep_memo() override { kept_ = *memo_->snapshot(); }
  void put_memo_back() override {
    if (!kept_.empty()) memo_ = memo_of(kept_);
  }

 private:
  Result<parent::ParentSession> session(const workspace::Target& target, Client& client) {
    parent::SessionParts parts{.target = target, .memo = memo_.get(), .reporter = &null_reporter()};
    parts.reach = [&client](const std::stop_token&) -> Result<std::unique_ptr<parent::Parent>> {
      return make_parent(client, kHost);
    };
    return parent::ParentSession::begin(std::move(parts));
  }

  Came run_once(Verb verb, Client& client) {
    const workspace::Target target = checkout.target();
    const images::ReadImages read = [&](const std::vector<std::string>& names, auto) {
      return checkout.read_images(client.world, names);
    };
    Came came;
    const auto keep = [&](const auto& result) {
      if (!result.ok()) came.error = result.error();
    };
    const auto with_session = [&](const auto& work) {
      auto open = session(target, client);
      keep(open);
      if (open.ok()) keep(work(*open));
    };
    switch (verb) {
      case Verb::kBuild:
        with_session([&](parent::ParentSession& open) {
          docker::BuildOptions options;
          options.jobs = 1;
          auto report = images::build_repo(open, read, {}, options);
          if (report.ok()) note_image_error(*report, came);
          return report;
        });
        break;
      case Verb::kDown:
        with_session([&](parent::ParentSession& open) -> Result<docker::DownReport> {
          OTTO_RETURN_IF_ERROR(open.connect());
          docker::DownOptions options;
          options.project = kProject;
          return stack::take_down(open, options);
        });
        break;
      case Verb::kPrune:
        with_session([&](parent::ParentSession& open) -> Result<docker::PruneReport> {
          OTTO_RETURN_IF_ERROR(open.connect());
          OTTO_TRY(const images::RepoInputs images, checkout.read_images(client.world, {}));
          return images::prune_repo(open, images, {});
        });
        break;
      default: {
        stack::UpSources sources;
        sources.stack = [&] { return checkout.read_stack(); };
        sources.images = read;
        sources.session = [&] { return session(target, client); };
        sources.services_elsewhere = [] { return std::set<std::string>(); };
        auto report = stack::bring_up(target, sources, up_options(verb));
        keep(report);
        if (report.ok()) {
          note_image_error(report->build, came);
          came.up = std::move(*report);
        }
      }
    }
    return came;
  }

  std::unique_ptr<cache::Database> memo_;
  std::string kept_;
};

class DiskMachine final : public Machine {
 public:
  explicit DiskMachine(fs::path folder)
      : Machine((folder / "repo").string()), repo_(folder / "repo"), state_(folder / "state") {
    fs::create_directories(repo_ / ".otto");
    std::string settings = "name = \"veg\"\n[[docker.composes]]\npath = \"${sutDir}/compose.json\"\n";
    for (const config::ImageSettings& image : checkout.settings().images) {
      settings += "[[docker.images]]\nname = \"" + image.name + "\"\ndockerfile = \"" + image.dockerfile.string() +
                  "\"\ncontext = \"" + image.context.string() + "\"\n";
    }
    std::ofstream(repo_ / ".otto/settings.toml") << settings;
    write();
  }

  Came run(Verb verb, Client& client) override {
    setenv("OTTO_STATE_DIR", state_.c_str(), 1);
    setenv("LEVEL", checkout.level().c_str(), 1);
    Came came;
    const auto keep = [&](const auto& result) {
      if (!result.ok()) {
        came.error = result.error();
      } else if constexpr (requires { result->front().build; }) {
        came.up = std::move(result->front());
        note_image_error(came.up->build, came);
        came.error = came.up->build.error;
      }
    };
    workspace::OpenRequest request;
    request.options.repo_dirs = {repo_};
    request.options.cwd = repo_;
    request.join_images = compose::add_compose_images;
    request.reach_parent = [&client](workspace::Opened&, const config::HostEntry& host, const parent::ParentSettings&,
                                     const std::stop_token&) -> Result<std::unique_ptr<parent::Parent>> {
      return make_parent(client, host.id);
    };
    auto opened = workspace::Opened::open(request, null_reporter(), {});
    keep(opened);
    if (!opened.ok()) return came;
    const auto workspace = Workspace::over(std::move(*opened));
    note_truths(client.world, *workspace);
    switch (verb) {
      case Verb::kBuild: {
        docker::BuildOptions options;
        options.jobs = 1;
        keep(docker::build_images(*workspace, options));
        break;
      }
      case Verb::kDown: {
        docker::DownOptions options;
        options.project = kProject;
        keep(docker::compose_down(*workspace, options));
        break;
      }
      case Verb::kPrune: keep(docker::prune_images(*workspace, {})); break;
      default: keep(docker::compose_up(*workspace, up_options(verb)));
    }
    return came;
  }

  [[nodiscard]] std::optional<Entry> read(const std::string& path) const override {
    auto content = read_whole_file(path);
    if (!content) return std::nullopt;
    Entry entry;
    entry.content = std::move(*content);
    return entry;
  }
  std::string edit(unsigned kind, std::uint64_t choice) override {
    std::string done = checkout.edit(kind, choice);
    write();
    return done;
  }
  void mend() override {
    checkout.mend();
    write();
  }

  void lose_memo() override { fs::remove_all(state_); }
  void keep_memo() override {
    fs::remove_all(kept());
    if (fs::exists(state_)) fs::copy(state_, kept());
  }
  void put_memo_back() override {
    if (!fs::exists(kept())) return;
    lose_memo();
    fs::copy(kept(), state_);
  }

 private:
  [[nodiscard]] fs::path kept() const { return state_.string() + ".kept"; }

  void note_truths(World& world, Workspace& workspace) const {
    for (const config::ImageSettings& image : checkout.settings().images) {
      const auto hash = docker::context_hash(workspace, image.name);
      if (hash.ok()) world.truths[*hash] = checkout.content_of_image(image.name);
    }
  }

  /// Makes the disk what the checkout is; files that stay as they are are not touched.
  void write() {
    Tree wanted = checkout.files();
    for (const auto& [path, entry] : written_) {
      if (!wanted.contains(path)) fs::remove(repo_ / path);
    }
    for (const auto& [path, entry] : wanted) {
      const auto before = written_.find(path);
      if (before != written_.end() && before->second == entry) continue;
      if (entry.directory) {
        fs::create_directories(repo_ / path);
      } else {
        fs::create_directories((repo_ / path).parent_path());
        std::ofstream(repo_ / path, std::ios::trunc) << entry.content;
      }
      fs::permissions(repo_ / path, static_cast<fs::perms>(entry.mode));
    }
    written_ = std::move(wanted);
  }

  const fs::path repo_, state_;
  Tree written_;
};

}  // namespace

std::string_view verb_name(Verb verb) {
  switch (verb) {
    case Verb::kUp: return "up";
    case Verb::kUpService: return "up api";
    case Verb::kUpNoBuild: return "up --no-build";
    case Verb::kUpWait: return "up --wait";
    case Verb::kBuild: return "build";
    case Verb::kDown: return "down";
    case Verb::kPrune: return "prune";
  }
  return "?";
}

std::unique_ptr<Machine> machine_in_memory(const std::string& root) { return std::make_unique<MemoryMachine>(root); }
std::unique_ptr<Machine> machine_on_disk(const fs::path& folder) { return std::make_unique<DiskMachine>(folder); }

}  // namespace otto::simulation
