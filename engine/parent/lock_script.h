// Locks on a parent as pieces of sh: who holds one is told to those who wait, and they die with their holder.
//
// A lock is flock(2) on a file of the account's own folder on the parent's local disk: homes may be shared by machines
// that have engines of their own, or lie on NFS. The folder's name holds the engine's id, because one machine may have
// several. The files stay: one that is removed under a waiter would be held by nobody. A descriptor is inherited by
// what the job starts, so a lock is free only when all of that has ended. Order, for who takes several: a project's, an
// image's, a stage's. Pure.
#pragma once

#include <string>
#include <string_view>

#include "engine/parent/facts.h"
#include "engine/parent/lock_holder.h"

namespace otto::parent {

/// sh: defines
///   otto_lock FD x|s NAME   takes the lock on that descriptor (6 to 9), saying on standard error for whom it waits;
///                           fails where there is no folder for locks
///   otto_state FILE         the path of a file that is kept beside the locks
/// Needs flock of util-linux, as stages do.
std::string lock_functions(const ParentFacts& facts);

/// A part of a file name that stands for `name` alone.
std::string lock_name(std::string_view name);
/// The lock of whoever builds or removes an image: one for all tags of a repository, of which there are few.
std::string image_lock(std::string_view tag);

/// Exit code of a script that lost, or could not take, a lock.
inline constexpr int kNoLockExit = 79;

}  // namespace otto::parent
