#include "tests/support/simulation/invariants.h"

#include <fmt/format.h>

#include <algorithm>

namespace otto::simulation {

void check_tags(const World& world) {
  for (const auto& [tag, id] : world.tags) {
    const std::string hash = tag.substr(tag.rfind(':') + 1);
    if (tag == "db:1") continue;
    if (hash == "latest") {
      const std::string& content = world.images.at(id).content;
      const bool known = std::ranges::any_of(world.truths, [&](const auto& truth) { return truth.second == content; });
      if (!known) throw Broken(tag + " was built from no inputs");
      continue;
    }
    const auto truth = world.truths.find(hash);
    if (truth == world.truths.end()) throw Broken(tag + " stands for no inputs");
    if (world.images.at(id).content != truth->second) throw Broken(tag + " was not built from its inputs");
  }
}

Seen look(World& world) {
  Seen seen;
  auto all = world.containers_of(kProject);
  std::ranges::stable_sort(all, {}, [](const Container* one) { return one->state.number; });
  for (const Container* one : all) {
    seen.ids[one->state.service].push_back(one->state.id);
    if (one->state.status == parent::ContainerStatus::kExited) seen.stopped.insert(one->state.service);
    const auto image = world.images.find(one->state.image_id);
    seen.made_from[one->state.service].insert(one->definition +
                                              (image == world.images.end() ? "" : image->second.content));
  }
  return seen;
}

void check_stack(World& world, const Checkout& checkout) {
  for (const auto& [service, wanted] : checkout.wanted()) {
    const auto all = world.containers_of(kProject, service);
    const auto broken = [&](const std::string& what) { throw Broken(fmt::format("after up: {} {}", service, what)); };
    if (all.size() != wanted.replicas) broken(fmt::format("has {} containers, not {}", all.size(), wanted.replicas));
    for (const Container* one : all) {
      if (parent::temporary_name(one->state.name)) broken("is half replaced");
      const bool runs = one->state.status == parent::ContainerStatus::kRunning;
      const bool completed =
          wanted.one_shot && one->state.status == parent::ContainerStatus::kExited && one->state.exit_code == 0;
      if (!runs && !completed) {
        broken(fmt::format("is {} ({})", parent::status_name(one->state.status), one->state.exit_code));
      }
      if (one->definition != wanted.definition) broken("is of another definition: " + one->definition);
      const std::string content =
          wanted.image_name.empty() ? "a database" : checkout.content_of_image(wanted.image_name);
      if (world.images.at(one->state.image_id).content != content) broken("runs another image");
      if (wanted.lives_in.empty()) continue;
      const auto others = world.containers_of(kProject, wanted.lives_in);
      if (others.empty() || others.front()->state.id != one->lives_in) broken("lives in a container that is gone");
    }
  }
}

void check_replaced(World& world, const Checkout& checkout, const Seen& before) {
  const Seen now = look(world);
  const auto wanted = checkout.wanted();
  std::set<std::string> may = before.stopped;
  for (const auto& [service, made_from] : now.made_from) {
    const auto known = before.made_from.find(service);
    if (known == before.made_from.end() || known->second != made_from) may.insert(service);
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [service, want] : wanted) {
      bool follows = !want.lives_in.empty() && may.contains(want.lives_in);
      for (const std::string& other : want.restarts_with) follows = follows || may.contains(other);
      if (follows) grown = may.insert(service).second || grown;
    }
  }
  for (const auto& [service, ids] : before.ids) {
    if (may.contains(service) || !wanted.contains(service)) continue;
    const auto& left = now.ids.find(service)->second;
    const std::size_t kept = std::min<std::size_t>(ids.size(), wanted.at(service).replicas);
    for (std::size_t i = 0; i < kept; ++i) {
      if (std::ranges::find(left, ids[i]) == left.end())
        throw Broken("after up: " + service + " was replaced for nothing");
    }
  }
}

void check_pruned(World& world, const Checkout& checkout, const std::map<std::string, std::string>& before) {
  const auto now = checkout.read_images(world, {});
  if (!now.ok()) return;
  for (const images::ImageInputs& image : now->images) {
    if (before.contains(image.tag) && !world.tags.contains(image.tag))
      throw Broken("prune removed " + image.tag + ", which is what is on disk");
  }
  for (const auto& container : world.containers) {
    if (!world.images.contains(container->state.image_id))
      throw Broken("prune removed the image of " + container->state.name);
  }
}

void check_volumes(const World& world) {
  if (!world.lost_volumes.empty()) throw Broken("the volume of " + *world.lost_volumes.begin() + " was lost");
}

}  // namespace otto::simulation
