// What a parent is asked to build, and what came of it; what it remembers of earlier builds (engine/images does both).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/parent/lock_holder.h"
#include "graph/fingerprint.h"

namespace otto::parent {

struct BuildRequest {
  std::string name;             ///< the image's, for messages
  std::string tag, latest;      ///< full references
  std::string dockerfile;       ///< its bytes
  std::string dockerfile_name;  ///< for messages
  std::string stage_key, stage_stamp;
  std::string record_name;                          ///< images/built_record.h
  const graph::Fingerprint* fingerprint = nullptr;  ///< borrowed; what the record keeps
  std::map<std::string, std::string> build_args;
  std::map<std::pair<std::string, std::string>, std::string> build_options;  ///< config::ImageSettings
  std::vector<std::pair<std::string, std::string>> build_hints;              ///< likewise
  std::map<std::string, std::string> secrets;                                ///< by id: bytes
  std::set<std::string> triggered;                        ///< stages that triggers of its bases ask for
  std::string target, platform;                           ///< empty: none
  std::vector<std::pair<std::string, std::string>> pins;  ///< reference as spelled → exact tag
  /// Base images that count in the tag: reference → id. Another one at the end of the build is kInputsChanged.
  std::vector<std::pair<std::string, std::string>> bases;
  /// The tag was not there when the parent was asked: if it is by the time its lock is had, another otto has built it.
  bool may_be_built_meanwhile = false;
  std::function<void(const LockHolder& holder)> on_waiting;  ///< another otto builds the image
  std::function<void(std::string_view step)> on_step;        ///< "[2/4] RUN make"; the last is "tagging"
  std::function<void(std::string_view line)> on_line;        ///< every line of the engine's progress
  std::stop_token stop;
};

struct BuiltImage {
  std::string image_id;      ///< "sha256:…"
  bool stage_stale = false;  ///< nothing was built: the stage is not what the stamp says; stage again
  bool was_there = false;    ///< nothing was built: another otto had done it
  /// Base images that the engine fetched itself, as it names them ("docker.io/library/debian:12"), and their digests.
  std::map<std::string, std::string> fetched_bases = {};
};

struct RecordQuery {
  std::string name;       ///< images::record_name() of the image
  std::string stage_key;  ///< its context's stage; empty: the manifest is not wanted
};

}  // namespace otto::parent
