#include "engine/stage/stage_delta.h"

#include <algorithm>
#include <charconv>

#include "engine/stage/stage_reuse.h"

namespace otto::stage {
namespace {

using graph::ContextEntry;
using graph::EntryType;

class Planner {
 public:
  Planner(const StageBase& base, const StagedEntries& before, const StagedEntries& wanted, StageKind kind)
      : base_(base), before_(before), wanted_(wanted), kind_(kind) {}

  StageDelta plan() {
    auto old_at = before_.sorted().begin();
    auto old_end = before_.sorted().end();
    for (const auto* entry : wanted_.sorted()) {
      for (; old_at != old_end && (*old_at)->path < entry->path; ++old_at) gone(**old_at);
      const ContextEntry* old = nullptr;
      if (old_at != old_end && (*old_at)->path == entry->path) old = *old_at++;
      keep(old, *entry);
    }
    for (; old_at != old_end; ++old_at) gone(**old_at);
    for (const auto& [path, found] : base_.touched) {
      const auto* entry = wanted_.find(path);
      bool fits = entry != nullptr && entry->type == EntryType::kDirectory && found.type == 'd';
      if (!fits && found.type != '-') make_way(path, entry);
      look_for_directories(path, found);
    }
    delta_.new_path = delta_.new_path || base_.renaming;
    write_deletions();
    delta_.bumps = bumps_text(bumps_);
    delta_.manifest = manifest_digest(wanted_);
    delta_.shape = shape_digest(wanted_);
    return std::move(delta_);
  }

 private:
  void gone(const ContextEntry& old) {
    show_directory(&old, nullptr);
    delta_.removed_lines += manifest_line(old);
    if (!base_.touched.contains(old.path)) make_way(old.path, nullptr);
  }

  /// Doomed with how to delete in place (StageDelta::deletions).
  void make_way(const std::string& path, const ContextEntry* entry) {
    char how = entry == nullptr ? '-' : 'x';
    if (entry != nullptr && entry->type == EntryType::kDirectory) how = 'd';
    if (entry != nullptr && entry->type == EntryType::kFile) how = 'f';
    doomed_[path] = how;
  }

  /// BuildKit believes what it once read of a directory's mode at a path. So a path of a tree shows one mode only, as
  /// long as the tree has its own path: a mode that is not the usual one must not come, change or go without that.
  void show_directory(const ContextEntry* old, const ContextEntry* now) {
    const auto mode = [](const ContextEntry* entry) {
      const bool known = entry != nullptr && entry->type == EntryType::kDirectory;
      return known ? entry->mode : graph::kUsualDirectoryMode;
    };
    if (kind_ == StageKind::kContext && mode(old) != mode(now)) delta_.new_path = true;
  }

  /// What somebody did to a directory by hand may have been its mode, also where that is the same again.
  void look_for_directories(const std::string& path, const FoundEntry& found) {
    if (kind_ != StageKind::kContext) return;
    const auto* old = before_.find(path);
    const bool was = old != nullptr && old->type == EntryType::kDirectory;
    if (base_.by_hand && (was || found.type == 'd')) delta_.new_path = true;
    if (was && found.type == 'd' && found.mode != old->mode) delta_.new_path = true;
  }

  void set_mode(const ContextEntry& entry) {
    auto& modes = entry.type == EntryType::kDirectory ? delta_.directory_modes : delta_.modes;
    (modes[entry.mode] += entry.path) += '\0';
  }

  void send(const ContextEntry& entry, unsigned nanoseconds) {
    delta_.send.push_back({&entry, nanoseconds});
    constexpr unsigned kOwner = 0700;  // packed with these bits (tar_packer.h); in place made without any mode
    const bool later = kind_ == StageKind::kInPlace || (entry.mode & kOwner) != kOwner;
    if (entry.type == EntryType::kDirectory && later) set_mode(entry);
  }

  void keep(const ContextEntry* old, const ContextEntry& entry) {
    show_directory(old, &entry);
    constexpr unsigned kMayEnter = 0500;
    if (entry.type == EntryType::kDirectory && (entry.mode & kMayEnter) != kMayEnter && delta_.closed.empty())
      delta_.closed = entry.path;
    if (old == nullptr || !same_staged(*old, entry)) {
      if (old != nullptr) delta_.removed_lines += manifest_line(*old);
      delta_.added_lines += manifest_line(entry);
    }
    auto touched = base_.touched.find(entry.path);
    const FoundEntry* found = touched == base_.touched.end() ? nullptr : &touched->second;
    if (old != nullptr && found == nullptr) {
      if (same_staged_content(*old, entry)) {
        keep_bump(entry.path);
        if (!same_staged(*old, entry) || base_.modes_touched.contains(entry.path)) set_mode(entry);
        return;
      }
      if (old->type != entry.type || entry.type == EntryType::kSymlink) make_way(entry.path, &entry);
    }
    if (found != nullptr && found->type == 'd' && entry.type == EntryType::kDirectory) {
      if (found->mode != entry.mode) set_mode(entry);
      return;
    }
    send(entry, choose_nanoseconds(old, entry, found));
  }

  void keep_bump(const std::string& path) {
    if (auto bump = base_.bumps.find(path); bump != base_.bumps.end()) bumps_.insert(*bump);
  }

  /// The engine believes (size, mtime): never what was staged before, nor what lies there, unless it is that content.
  unsigned choose_nanoseconds(const ContextEntry* old, const ContextEntry& entry, const FoundEntry* found) {
    if (entry.type == EntryType::kDirectory) return 0;
    auto known = base_.bumps.find(entry.path);
    unsigned old_bump = known == base_.bumps.end() ? 0 : known->second;
    bool same = old != nullptr && same_staged_content(*old, entry);
    unsigned bump = same ? old_bump : 0;
    auto clashes = [&](unsigned nanoseconds) {
      if (found != nullptr && found->type != '-' && found->size == entry.size && found->nanoseconds == nanoseconds)
        return true;
      bool old_counts = old != nullptr && old->type == entry.type && (!same || found != nullptr);
      return old_counts && old->size == entry.size && staged_nanoseconds(*old, old_bump) == nanoseconds;
    };
    while (clashes(staged_nanoseconds(entry, bump))) ++bump;
    if (bump != 0) bumps_[entry.path] = bump;
    return staged_nanoseconds(entry, bump);
  }

  /// In a context the topmost path takes all below it along; in place each is removed by itself, children first.
  void write_deletions() {
    if (kind_ == StageKind::kInPlace) {
      for (auto way = doomed_.rbegin(); way != doomed_.rend(); ++way)
        ((delta_.deletions += way->second) += way->first) += '\0';
      return;
    }
    for (const auto& [path, how] : doomed_) {
      bool below = false;
      for (auto slash = path.find('/'); slash != std::string::npos && !below; slash = path.find('/', slash + 1))
        below = doomed_.contains(path.substr(0, slash));
      if (!below) (delta_.deletions += path) += '\0';
    }
  }

  const StageBase& base_;
  const StagedEntries& before_;
  const StagedEntries& wanted_;
  StageKind kind_;
  StageDelta delta_;
  Bumps bumps_;
  std::map<std::string, char> doomed_;
};

/// ".NNNNNNNNN…" of find's %T@.
unsigned read_nanoseconds(std::string_view time) {
  auto dot = time.find('.');
  if (dot == std::string_view::npos) return 0;
  std::string digits(time.substr(dot + 1, 9));
  digits.resize(9, '0');
  unsigned nanoseconds = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), nanoseconds);
  return nanoseconds;
}

/// "TYPE …" of one listing line (stage_script.cc, otto_stage_list).
FoundEntry read_found(std::string_view facts) {
  FoundEntry found;
  found.type = facts.empty() ? 'o' : facts.front();
  auto changed_at = facts.rfind(' ');
  if (changed_at == std::string_view::npos || changed_at < 2) return found;
  auto modified_at = facts.rfind(' ', changed_at - 1);
  if (modified_at == std::string_view::npos || modified_at < 2) return found;
  found.nanoseconds = read_nanoseconds(facts.substr(modified_at + 1, changed_at - modified_at - 1));
  auto middle = facts.substr(2, modified_at - 2);
  if (found.type == 'd') std::from_chars(middle.data(), middle.data() + middle.size(), found.mode, 8);
  if (found.type == 'f') {
    auto size = middle.substr(std::min(middle.size(), middle.find(' ') + 1));
    std::from_chars(size.data(), size.data() + size.size(), found.size);
  }
  return found;
}

}  // namespace

StageDelta plan_delta(const StageBase& base, const StagedEntries& wanted, StageKind kind, bool reuse) {
  StagedEntries before(base.manifest);
  auto delta = Planner(base, before, wanted, kind).plan();
  if (reuse) reuse_staged(base, before, wanted, kind, delta);
  return delta;
}

bool read_differences(std::string_view text, std::map<std::string, FoundEntry>& touched) {
  while (!text.empty()) {
    auto end = text.find('\0');
    if (end == std::string_view::npos) return false;
    auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    bool now = !line.empty() && line.front() == '\t';
    if (now) line.remove_prefix(1);
    auto mark = line.find("//");
    if (mark == std::string_view::npos) return false;
    auto& found = touched[std::string(line.substr(0, mark))];
    if (now) found = read_found(line.substr(mark + 2));
  }
  return true;
}

}  // namespace otto::stage
