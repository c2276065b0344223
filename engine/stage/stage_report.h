// Reads what the parent's script says on standard output, piece by piece (docs/stage.md, "What the parent says").
//
// Must not know what is done with it. Values; one thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/parent/lock_holder.h"

namespace otto::stage {

struct StageReport {
  std::optional<parent::LockHolder> waiting;  ///< another otto has the stage
  bool ready = false;                         ///< the state below is whole; the parent awaits an order
  bool done = false;
  bool garbled = false;   ///< not ours: nothing more is read
  std::string condition;  ///< none, clean, edited, half
  std::string stamp;
  std::string manifest;                         ///< digest of the manifest it was stamped with, hex
  std::string directory;                        ///< the tree's absolute path
  std::map<std::string, std::string> sections;  ///< manifest, bumps, differences, pending, …
};

class StageReportReader {
 public:
  void feed(std::string_view bytes);
  [[nodiscard]] const StageReport& report() const { return report_; }
  StageReport& report() { return report_; }

 private:
  void read_line(std::string_view line);

  StageReport report_;
  std::string line_;
  std::string section_;  // the one being read
  std::size_t section_left_ = 0;
};

}  // namespace otto::stage
