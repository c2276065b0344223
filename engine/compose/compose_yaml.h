// yaml-cpp as the compose reader needs it: documents, maps with merge keys, places for messages. Internal to inputs/.
//
// yaml-cpp 0.7 knows no merge keys (`<<`): lookups follow them here. Its exceptions end in load_documents() and in
// read_compose_files(). Must not know what compose keys mean. Nodes refer into their document; one thread.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/base/result.h"

namespace otto::compose::yaml {

/// A YAML file.
struct Documents {
  std::vector<YAML::Node> roots;
  std::vector<std::string> scalars;  ///< every one once, aliases not followed, so that no document can grow in memory
};

/// kConfig "FILE:LINE:COLUMN: …" for malformed YAML and for a file without a document.
Result<Documents> load_documents(const std::string& text, std::string_view file_name);

/// The value of a key, found through `<<` where the map itself lacks it; an undefined node where there is none.
YAML::Node get(const YAML::Node& map, const std::string& key);

/// The map's entries, its own before merged ones, no key twice; merge keys themselves left out.
std::vector<std::pair<std::string, YAML::Node>> entries(const YAML::Node& map);

/// The map's own key node for a name, for its place; the map where merged.
YAML::Node key_node(const YAML::Node& map, const std::string& key);

/// A scalar as a list of one; a sequence's items; of nothing none.
std::vector<YAML::Node> as_list(const YAML::Node& node);

/// The scalar's text; empty for anything else.
std::string text(const YAML::Node& node);
/// Whether it is null: absent, or a plain scalar that says so.
bool is_null(const YAML::Node& node);
/// The scalar's text as Compose has it, which reads a plain one as a number, a truth value or a time where it looks
/// like one and writes that: 1.10 is "1.1", 0755 "493", 1_000 "1000", True "true". By the rules of gopkg.in/yaml.v3
/// (resolve.go) and of Go's fmt.Sprint.
std::string typed_text(const YAML::Node& node);

/// "FILE:LINE:COLUMN", 1-based.
std::string place(std::string_view file_name, const YAML::Node& node);
unsigned line(const YAML::Node& node);

}  // namespace otto::compose::yaml
