#include "tests/support/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/digest.h"

namespace otto::simulation {

namespace {

std::string plain_name_of(const Container& container) {
  const auto parsed = parent::temporary_name(container.state.name);
  return parsed ? std::string(parsed->plain_name) : container.state.name;
}

/// So long a schedule never is.
constexpr std::uint64_t kEndOfTime = 200'000;

}  // namespace

std::string content_of(const Recipe& recipe) {
  std::string text = recipe.dockerfile;
  for (const auto& [path, entry] : recipe.context) {
    if (path.ends_with("notes")) continue;
    text += fmt::format("\n{} {:o} {} {}", path, entry.mode, entry.directory, entry.content);
  }
  for (const std::string& upstream : recipe.upstreams) text += "\nfrom " + upstream;
  return graph::sha256(text).hex();
}

World::~World() {
  abandoned_.clear();  // they hold locks of this
}

std::string World::fresh_id(std::string_view prefix) {
  return std::string(prefix) + graph::sha256(fmt::format("{} {}", prefix, ++ids_)).hex();
}

void World::say(const std::string& line) {
  if (logs) log.push_back(fmt::format("{:>5}  {}", clock, line));
}

// --- time ---

void World::pass_time() {
  if (++clock > kEndOfTime) throw Stuck("nothing ends");
  for (std::size_t i = 0; i < effects_.size();) {
    if (effects_[i].due > clock) {
      ++i;
      continue;
    }
    const auto happen = std::move(effects_[i].happen);
    effects_.erase(effects_.begin() + static_cast<std::ptrdiff_t>(i));
    happen();
  }
  if (abandoned_.empty() || choose(2) == 0) return;
  const std::size_t one = choose(static_cast<unsigned>(abandoned_.size()));
  bool goes_on = abandoned_[one].steps-- > 0;
  if (goes_on) goes_on = abandoned_[one].job.resume();
  if (!goes_on) abandoned_.erase(abandoned_.begin() + static_cast<std::ptrdiff_t>(one));
}

void World::settle() {
  while (!effects_.empty() || !abandoned_.empty()) pass_time();
}

void World::after(unsigned moments, std::function<void()> effect) {
  effects_.push_back({clock + moments, std::move(effect)});
}

void World::abandon(Job job, unsigned steps) { abandoned_.push_back({std::move(job), steps}); }

void World::cast(std::set<int> actors) {
  actors_ = std::move(actors);
  for (const int actor : actors_) turn_changed_[actor];
  turn_ = *actors_.begin();
}

void World::enter(int actor) {
  std::unique_lock lock(mutex_);
  turn_changed_.at(actor).wait(lock, [&] { return turn_ == actor; });
}

void World::pass(int actor) {
  std::unique_lock lock(mutex_);
  if (actors_.size() < 2) return;
  auto next = actors_.begin();
  std::advance(next, choose(static_cast<unsigned>(actors_.size())));
  if (*next == actor) return;
  turn_ = *next;
  turn_changed_.at(turn_).notify_one();
  turn_changed_.at(actor).wait(lock, [&] { return turn_ == actor; });
}

void World::leave(int actor) {
  const std::unique_lock lock(mutex_);
  actors_.erase(actor);
  turn_ = actors_.empty() ? -1 : *actors_.begin();
  if (turn_ >= 0) turn_changed_.at(turn_).notify_one();
}

// --- locks ---

World::Hold& World::Hold::operator=(Hold&& other) noexcept {
  drop();
  world_ = std::exchange(other.world_, nullptr);
  name_ = std::move(other.name_);
  exclusive_ = other.exclusive_;
  return *this;
}

void World::Hold::drop() {
  if (world_ == nullptr) return;
  Lock& lock = world_->locks_[name_];
  if (exclusive_) {
    lock.exclusive = false;
  } else {
    --lock.shared;
  }
  world_ = nullptr;
}

World::Hold World::try_lock(const std::string& name, bool exclusive, Guard guard) {
  const std::string own = has(guard) ? name : fresh_id("free");
  Lock& lock = locks_[own];
  if (lock.exclusive || (exclusive && lock.shared > 0)) return {};
  if (exclusive) {
    lock.exclusive = true;
  } else {
    ++lock.shared;
  }
  return {*this, own, exclusive};
}

// --- the engine ---

const Image* World::image_of(const std::string& reference) const {
  const auto tag = tags.find(reference);
  const auto image = images.find(tag == tags.end() ? reference : tag->second);
  return image == images.end() ? nullptr : &image->second;
}

Container* World::container(const std::string& id) {
  const auto found = std::ranges::find_if(containers, [&](const auto& one) { return one->state.id == id; });
  return found == containers.end() ? nullptr : found->get();
}

std::vector<Container*> World::containers_of(const std::string& project, const std::string& service) {
  std::vector<Container*> all;
  for (const auto& one : containers) {
    if (one->project == project && (service.empty() || one->state.service == service)) all.push_back(one.get());
  }
  return all;
}

Result<std::string> World::create(Container made) {
  for (const auto& other : containers) {
    if (other->state.name != made.state.name) continue;
    return make_error(
        ErrorCode::kComposeFailed,
        fmt::format("Error response from daemon: Conflict. The container name \"/{}\" is already in use by "
                    "container \"{}\". You have to remove (or rename) that container to be able to reuse "
                    "that name.",
                    made.state.name, other->state.id));
  }
  const Image* image = image_of(made.state.image);
  if (image == nullptr) {
    return make_error(ErrorCode::kComposeFailed,
                      fmt::format("Error response from daemon: No such image: {}", made.state.image));
  }
  made.state.image_id = image->id;
  made.state.id = fresh_id("").substr(0, 64);
  made.state.status = parent::ContainerStatus::kCreated;
  made.state.health = parent::Health::kNone;
  const std::string plain = plain_name_of(made);
  if (made.volume == 0) {
    if (volumes_.contains(plain)) lost_volumes.insert(plain);
    made.volume = static_cast<unsigned>(++ids_);
  }
  volumes_[plain] = made.volume;
  say(fmt::format("create {} {}", made.state.name, made.state.id.substr(0, 12)));
  ++changes;
  containers.push_back(std::make_unique<Container>(std::move(made)));
  return containers.back()->state.id;
}

void World::end(Container& container, int code) {
  container.state.status = parent::ContainerStatus::kExited;
  container.state.exit_code = code;
  container.state.health = parent::Health::kNone;
  container.termed = false;
  say(fmt::format("ended {} ({})", container.state.name, code));
}

Result<void> World::start(const std::string& id) {
  Container* one = container(id);
  if (one == nullptr) {
    return make_error(ErrorCode::kComposeFailed, fmt::format("Error response from daemon: No such container: {}", id));
  }
  if (one->state.status == parent::ContainerStatus::kRunning || one->state.status == parent::ContainerStatus::kPaused) {
    return {};
  }
  if (!one->lives_in.empty()) {
    const Container* other = container(one->lives_in);
    if (other == nullptr) {
      return make_error(ErrorCode::kComposeFailed,
                        fmt::format("Error response from daemon: No such container: {}", one->lives_in));
    }
    if (other->state.status != parent::ContainerStatus::kRunning) {
      return make_error(
          ErrorCode::kComposeFailed,
          fmt::format("Error response from daemon: cannot join network of a non running container: {}", one->lives_in));
    }
  }
  one->state.status = parent::ContainerStatus::kRunning;
  one->state.exit_code = 0;
  one->termed = false;
  ++changes;
  say("start " + one->state.name);
  if (one->has_check) {
    one->state.health = parent::Health::kStarting;
    after(1 + choose(3), [this, id] {
      Container* checked = container(id);
      if (checked != nullptr && checked->state.health == parent::Health::kStarting) {
        checked->state.health = parent::Health::kHealthy;
      }
    });
  }
  if (one->ends_with) {
    after(1 + choose(2), [this, id, code = *one->ends_with] {
      Container* done = container(id);
      if (done != nullptr && done->state.status == parent::ContainerStatus::kRunning) end(*done, code);
    });
  }
  return {};
}

void World::terminate(const std::string& id) {
  Container* one = container(id);
  if (one == nullptr || one->state.status != parent::ContainerStatus::kRunning || one->termed) return;
  one->termed = true;
  ++changes;
  say("term " + one->state.name);
  static constexpr int kCodes[] = {0, 137, 143};
  const unsigned most = choose(3) == 0 ? 30 : 6;
  const unsigned moments = 1 + choose(most);
  const int code = kCodes[choose(3)];
  after(moments, [this, id, code] {
    Container* told = container(id);
    if (told != nullptr && told->termed) end(*told, code);
  });
}

void World::kill(const std::string& id, int code) {
  Container* one = container(id);
  if (one == nullptr || one->state.status != parent::ContainerStatus::kRunning) return;
  ++changes;
  end(*one, code);
}

/// By value: callers name a container by its own id.
void World::remove(std::string id) {
  const Container* one = container(id);
  if (one == nullptr) return;
  say("remove " + one->state.name);
  ++changes;
  std::erase_if(containers, [&](const auto& other) { return other->state.id == id; });
}

void World::let_go(const Container& container) { volumes_.erase(plain_name_of(container)); }

Result<void> World::rename(const std::string& id, const std::string& name) {
  Container* one = container(id);
  if (one == nullptr) {
    return make_error(ErrorCode::kComposeFailed, fmt::format("Error response from daemon: No such container: {}", id));
  }
  for (const auto& other : containers) {
    if (other->state.name != name) continue;
    return make_error(
        ErrorCode::kComposeFailed,
        fmt::format(
            "Error response from daemon: Error when allocating new name: Conflict. The container name \"/{}\" is "
            "already in use by container \"{}\". You have to remove (or rename) that container to be able to "
            "reuse that name.",
            name, other->state.id));
  }
  say(fmt::format("rename {} {}", one->state.name, name));
  ++changes;
  one->state.name = name;
  return {};
}

void World::read_context(const std::string& path, const Tree& files, Tree& seen) {
  Tree& known = seen_[path];
  std::erase_if(known, [&](const auto& one) { return !files.contains(one.first) && !one.second.directory; });
  for (const auto& [name, entry] : files) {
    const auto before = known.find(name);
    const bool same = before != known.end() && before->second.directory == entry.directory &&
                      (entry.directory || (before->second.mtime == entry.mtime && before->second.mode == entry.mode &&
                                           before->second.content.size() == entry.content.size()));
    if (!same) known[name] = entry;
    seen[name] = known[name];
  }
}

std::string World::add_image(const std::string& content) {
  const std::string id = "sha256:" + graph::sha256("image " + content).hex();
  images[id] = {id, content};
  return id;
}

}  // namespace otto::simulation
