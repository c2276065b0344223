#include "tests/support/simulation/build_jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/digest.h"

namespace otto::simulation {

namespace {

std::uint64_t mtime_of(const World& world, const std::string& content) {
  if (!world.has(Guard::kMtimeOfContent)) return 1;
  std::uint64_t value = 0;
  for (const char c : graph::sha256(content).hex().substr(0, 8)) value = value * 31 + static_cast<unsigned char>(c);
  return value;
}

Tree tree_of(const graph::ContextManifest& manifest) {
  Tree tree;
  for (const graph::ContextEntry& entry : manifest.entries) {
    Entry& made = tree[std::string(entry.path)];
    made.directory = entry.type == graph::EntryType::kDirectory;
    made.mode = entry.mode;
    if (!made.directory) made.content = entry.digest.hex();  // stands for it until it is read
  }
  return tree;
}

/// Whether an existing directory of the stage is to have another mode.
bool moves_a_mode(const Tree& now, const Tree& wanted) {
  return std::ranges::any_of(wanted, [&](const auto& one) {
    const auto before = now.find(one.first);
    return one.second.directory && before != now.end() && before->second.directory &&
           before->second.mode != one.second.mode;
  });
}

std::string local_path(const parent::StageRequest& request, const std::string& path) {
  return request.locate ? request.locate(path).string() : (request.source / path).string();
}

}  // namespace

Job stage_job(World& world, std::shared_ptr<StageOrder> order, std::shared_ptr<Staged> out) {
  const parent::StageRequest& request = order->request;
  World::Hold work;
  if (request.turn) work = world.try_lock("work " + request.turn->project, false, Guard::kWorkLock);
  if (request.turn && !has_turn(world, *request.turn)) {
    out->error = make_error(ErrorCode::kInputsChanged, "another otto took the project over");
    co_return;
  }
  Acquire hold(world, "stage " + request.key, true, Guard::kStageLock, order->here, request.waiting);
  while (!hold.taken()) co_await Step{};
  if (!*order->here) co_return;  // what it would be sent has an end, and is not whole
  Stage& stage = world.stages[request.key];
  if (request.look && !stage.stamp.empty()) {
    if (auto seen = request.look(stage.manifest, stage.stamp); !seen.ok()) {
      out->error = seen.error();
      co_return;
    }
  }
  const Tree wanted = tree_of(order->wanted);
  const bool is_right = !stage.stamp.empty() && !stage.edited && graph::diff(stage.manifest, order->wanted).empty();
  if (is_right) {
    out->state = {fmt::format("{}/{}/{}", kStages, request.key, stage.tree), stage.stamp, 0, 0, false};
    co_return;
  }
  const bool repaired = stage.edited;
  if (stage.tree.empty()) stage.tree = world.fresh_id("tree.").substr(0, 17);
  if (world.has(Guard::kStampGoesFirst)) stage.stamp.clear();
  co_await Step{};
  std::uint64_t files = 0;
  for (auto old = stage.files.begin(); old != stage.files.end();) {
    old = wanted.contains(old->first) ? std::next(old) : stage.files.erase(old);
  }
  co_await Step{};
  if (world.has(Guard::kNewPathForModes) && moves_a_mode(stage.files, wanted)) {
    stage.tree = world.fresh_id("tree.").substr(0, 17);
  }
  for (const auto& [path, entry] : wanted) {
    Entry made = entry;
    if (!entry.directory) {
      const auto there = stage.files.find(path);
      const bool same = there != stage.files.end() && there->second.mode == entry.mode &&
                        graph::sha256(there->second.content).hex() == entry.content;
      if (same) continue;
      if (!*order->here) co_return;
      const auto local = order->read_local(local_path(request, path));
      const bool as_scanned = local && graph::sha256(local->content).hex() == entry.content;
      if (!local || (!as_scanned && world.has(Guard::kHashedAsPacked))) {
        out->error = make_error(ErrorCode::kInputsChanged, path + " changed while it was sent");
        co_return;
      }
      made.content = local->content;
      made.mtime = mtime_of(world, made.content);
      ++files;
      co_await Step{};
    }
    stage.files[path] = made;
  }
  co_await Step{};
  if (!*order->here) co_return;
  stage.manifest = order->wanted;
  stage.edited = false;
  stage.stamp = world.fresh_id("stamp").substr(0, 37);
  ++world.changes;
  world.say(fmt::format("staged {} as {}", request.key, stage.stamp.substr(5, 6)));
  out->state = {fmt::format("{}/{}/{}", kStages, request.key, stage.tree), stage.stamp, files, files, repaired};
}

std::string image_lock(const std::string& tag) { return "image " + tag.substr(0, tag.rfind(':')); }

Job build_job(World& world, parent::BuildRequest request, graph::Fingerprint fingerprint, Here here,
              std::shared_ptr<Built> out) {
  Acquire lock(world, image_lock(request.tag), true, Guard::kImageLock, here, request.on_waiting);
  while (!lock.taken()) co_await Step{};
  if (request.may_be_built_meanwhile && world.image_of(request.tag) != nullptr) {
    out->image.image_id = world.tags.at(request.tag);
    out->image.was_there = true;
    world.tags[request.latest] = out->image.image_id;
    co_return;
  }
  Acquire shared(world, "stage " + request.stage_key, false, Guard::kStageLock, here, request.on_waiting);
  while (!shared.taken()) co_await Step{};
  Stage& stage = world.stages[request.stage_key];
  const auto stale = [&] {
    return world.has(Guard::kStampIsChecked) && (stage.stamp != request.stage_stamp || stage.edited);
  };
  if (stale()) {
    out->image.stage_stale = true;
    co_return;
  }
  Recipe recipe;
  recipe.dockerfile = request.dockerfile;
  for (const auto& [spelled, tag] : request.pins) {
    const Image* upstream = world.image_of(tag);
    if (upstream == nullptr) {
      out->error = make_error(ErrorCode::kInputsChanged, tag + " was removed meanwhile");
      co_return;
    }
    recipe.upstreams.push_back(upstream->content);
  }
  std::ranges::sort(recipe.upstreams);
  if (!world.has(Guard::kTagComesLast)) {  // as if it were named before it is known to be right
    world.tags[request.tag] = world.add_image(content_of(recipe));
  }
  co_await Step{};
  if (request.dockerfile.find("RUN false") != std::string::npos) {
    out->error = make_error(ErrorCode::kBuildFailed, "process \"/bin/sh -c false\" did not complete successfully");
    co_return;
  }
  world.read_context(fmt::format("{}/{}", request.stage_key, stage.tree), stage.files, recipe.context);
  co_await Step{};
  co_await Step{};
  const std::string id = world.add_image(content_of(recipe));
  if (world.has(Guard::kVerifiedAfterBuild) && stale()) {
    out->image.stage_stale = true;
    co_return;
  }
  world.tags[request.tag] = id;
  ++world.builds[request.tag];
  ++world.changes;
  world.say(fmt::format("tag {} {}", request.tag, id.substr(7, 12)));
  co_await Step{};
  world.tags[request.latest] = id;
  co_await Step{};
  world.records[request.record_name] = {std::move(fingerprint), std::nullopt};
  out->image.image_id = id;
}

}  // namespace otto::simulation
