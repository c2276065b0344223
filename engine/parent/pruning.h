// What a parent is asked when images, stages and records are to go that nobody needs (engine/images does it).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace otto::parent {

struct PruneQuery {
  std::string project;
  std::vector<std::string> ids;      ///< images whose size is wanted
  std::vector<std::string> records;  ///< names of records whose size is wanted
};

struct PruneSurvey {
  std::map<std::string, std::string> users;     ///< image id or reference → name of a container that uses it
  std::map<std::string, std::uint64_t> images;  ///< id → bytes, with the layers it shares with others
  std::map<std::string, std::uint64_t> stages;  ///< key of each context stage of the project → bytes
  std::map<std::string, std::uint64_t> records;
};

struct Removal {
  enum class Kind { kTag, kStage, kRecord };
  Kind kind = Kind::kTag;
  std::string name;
};

}  // namespace otto::parent
