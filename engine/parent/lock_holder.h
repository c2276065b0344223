// Whom a command waits for, as the scripts that wait for a lock tell it.
//
// Every lock on a parent has a note beside it of who took it and when (the parent's clock). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otto::parent {

struct LockHolder {
  std::string who;                       ///< "ann@laptop"; empty: not known
  std::optional<unsigned> seconds = {};  ///< since when
  bool operator==(const LockHolder&) const = default;
};

/// "for ann@laptop, since 14:02:07" (of this machine's clock), "for another otto".
std::string waiting_for(const LockHolder& holder,
                        std::chrono::system_clock::time_point now = std::chrono::system_clock::now());
/// A line that a waiting script says ("otto-waiting", the lock's name, who, seconds, by tabs); nullopt: another one.
std::optional<LockHolder> read_waiting(std::string_view line);
/// What others are told of this process: the user's name and this machine's.
std::string own_name();

/// sh: otto_tell_waiting NAME FILE says such a line, from the note FILE; otto_note_holder WHO FILE writes the note.
std::string_view lock_holder_functions();

}  // namespace otto::parent
