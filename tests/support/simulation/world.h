// A Docker host in memory: images, containers, stages, locks and notes, the jobs that work on them, and time.
//
// What an engine does by itself (a container that ends after its SIGTERM, a health check that passes) happens as time
// goes on. Jobs (job.h) are the scripts of ottos; one whose otto is gone works on for some steps, as on a real parent
// until the supervisor has noticed. Every choice is made by one seeded generator, so a world runs alike each time.
// Threads: whoever has the turn (enter(), pass(), leave()).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/parent/container_state.h"
#include "graph/base/result.h"
#include "graph/reasons.h"
#include "tests/support/simulation/job.h"

namespace otto::simulation {

/// What keeps otto right when things go wrong, and may be taken away to see that the simulation misses it.
enum class Guard {
  kStampGoesFirst,       ///< a stage's stamp goes before the first write
  kStampIsChecked,       ///< a build looks whether the stage is still what was staged
  kVerifiedAfterBuild,   ///< and again after it
  kHashedAsPacked,       ///< a file that changed since the scan is not sent
  kNewPathForModes,      ///< a directory's new mode moves the tree
  kMtimeOfContent,       ///< a staged file's mtime follows from its content
  kTagComesLast,         ///< an image is tagged when it is built, and verified
  kStageLock,            ///< one writer of a stage, and no builder beside it
  kImageLock,            ///< one builder of an image
  kProjectLock,          ///< one otto at a time on a project
  kWorkLock,             ///< a new holder waits for the jobs of the last
  kTurnIsChecked,        ///< jobs of a turn that was lost change nothing
  kReprobe,              ///< who waited, or finds a turn open, plans anew
  kPutRight,             ///< what is half replaced is put right
  kNothingIsThrownAway,  ///< what is half replaced is renamed back, with its volume, where it can be
  kDoomedNote,           ///< what was about to be stopped is remembered
};

/// A file or directory, here or in a stage.
struct Entry {
  bool directory = false;
  std::uint16_t mode = 0644;
  std::string content;
  std::uint64_t mtime = 0;
  bool operator==(const Entry&) const = default;
};
using Tree = std::map<std::string, Entry>;

/// What an image is made of: all that a layer shows of its context, its Dockerfile, its upstream images.
struct Recipe {
  std::string dockerfile;
  Tree context;
  std::vector<std::string> upstreams;  ///< their contents
};
/// Equal for what makes the same image. Files called "notes" are in no layer.
std::string content_of(const Recipe& recipe);

struct Image {
  std::string id, content;
};

struct Container {
  parent::ContainerState state;
  std::string project;
  std::string lives_in;  ///< id of the container whose network it has
  unsigned volume = 0;   ///< its anonymous volume
  bool termed = false;   ///< has been told to stop
  std::optional<int> ends_with;
  bool has_check = false;
  std::string definition;  ///< what the compose file said of its service, but for image, dependencies and number
};

struct Stage {
  Tree files;
  graph::ContextManifest manifest;  ///< what was staged last
  std::string stamp;                ///< empty: it is being written
  std::string tree;                 ///< the name of its directory
  bool edited = false;              ///< by hand
};

/// Beside a project's lock.
struct Notes {
  std::string generation;
  std::set<std::string> doomed;
};

struct Lock {
  unsigned shared = 0;
  bool exclusive = false;
};

/// Raised where nothing ends: everybody waits for somebody.
struct Stuck : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class World {
 public:
  World(std::uint64_t seed, std::set<Guard> missing, bool is_v1)
      : compose_v1(is_v1), missing_(std::move(missing)), random_(seed) {}
  ~World();

  [[nodiscard]] bool has(Guard guard) const { return !missing_.contains(guard); }
  /// Below `bound`.
  unsigned choose(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  std::string fresh_id(std::string_view prefix);

  // --- time ---
  /// One moment passes: the engine goes on, and perhaps a job whose otto is gone.
  void pass_time();
  /// Nothing goes on by itself.
  [[nodiscard]] bool is_at_rest() const { return effects_.empty() && abandoned_.empty(); }
  /// All that goes on by itself comes to its end.
  void settle();
  void after(unsigned moments, std::function<void()> effect);
  /// A job whose otto is gone: it goes on for up to `steps`.
  void abandon(Job job, unsigned steps);
  /// Those who are to act take turns; each enters when it begins, and leaves at its end.
  void cast(std::set<int> actors);
  void enter(int actor);
  void pass(int actor);
  void leave(int actor);

  // --- locks ---
  class Hold {
   public:
    Hold() = default;
    Hold(World& world, std::string name, bool exclusive)
        : world_(&world), name_(std::move(name)), exclusive_(exclusive) {}
    Hold(Hold&& other) noexcept
        : world_(std::exchange(other.world_, nullptr)), name_(std::move(other.name_)), exclusive_(other.exclusive_) {}
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { drop(); }
    void drop();
    explicit operator bool() const { return world_ != nullptr; }

   private:
    World* world_ = nullptr;
    std::string name_;
    bool exclusive_ = false;
  };
  /// Empty where it is another's. A lock whose guard is missing is always free.
  Hold try_lock(const std::string& name, bool exclusive, Guard guard);

  // --- the engine ---
  [[nodiscard]] const Image* image_of(const std::string& reference) const;
  Container* container(const std::string& id);
  std::vector<Container*> containers_of(const std::string& project, const std::string& service = "");
  /// Errors as the engine words them.
  Result<std::string> create(Container made);
  Result<void> start(const std::string& id);
  /// SIGTERM; the container ends some time later. Nothing where it does not run.
  void terminate(const std::string& id);
  void kill(const std::string& id, int code);
  void remove(std::string id);
  /// Somebody wants its anonymous volume no more: hands that remove it, `down`, fewer replicas.
  void let_go(const Container& container);
  Result<void> rename(const std::string& id, const std::string& name);
  /// As BuildKit does: what it has seen at a path it does not look at again while size and mtime are the same, and of a
  /// directory never.
  void read_context(const std::string& path, const Tree& files, Tree& seen);
  std::string add_image(const std::string& content);

  std::map<std::string, Image> images;      // by id
  std::map<std::string, std::string> tags;  // reference → id
  std::vector<std::unique_ptr<Container>> containers;
  std::map<std::string, Stage> stages;              // by key
  std::map<std::string, Notes> notes;               // by compose project
  std::map<std::string, graph::BuiltFrom> records;  // by name
  std::map<std::string, std::string> truths;        // hash → the content that it stands for
  std::set<std::string> lost_volumes;               // plain names of containers whose volume was not handed on
  std::map<std::string, unsigned> builds;           // tag → how often
  unsigned changes = 0;                             // that jobs made
  std::uint64_t clock = 0;
  const bool compose_v1;
  std::vector<std::string> log;
  bool logs = false;
  void say(const std::string& line);

 private:
  struct Effect {
    std::uint64_t due;
    std::function<void()> happen;
  };
  struct Abandoned {
    Job job;
    unsigned steps;
  };
  void end(Container& container, int code);

  const std::set<Guard> missing_;
  std::mt19937_64 random_;
  std::uint64_t ids_ = 0;
  std::vector<Effect> effects_;
  std::vector<Abandoned> abandoned_;
  std::map<std::string, Lock> locks_;
  std::map<std::string, unsigned> volumes_;  // by plain name
  std::map<std::string, Tree> seen_;         // by path of a tree
  std::mutex mutex_;
  std::map<int, std::condition_variable> turn_changed_;  // of each actor
  int turn_ = -1;
  std::set<int> actors_;
};

}  // namespace otto::simulation
