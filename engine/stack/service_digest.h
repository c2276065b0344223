// The digest of a service in Compose's resolved configuration: equal for equal configurations, whatever their order.
// Internal to docker/; stack_model.h is the door.
//
// Objects are encoded key-sorted, every value with its type and length, so that no two configurations can be re-spelt
// into each other. Environment values enter the digest and nothing else. The document outlives the digester. Pure.
#pragma once

#include <simdjson.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "graph/digest.h"

namespace otto::stack {

class ServiceDigester {
 public:
  /// `document`: the whole answer of `docker compose config --format json`; the rest as for parse_stack_model().
  ServiceDigester(const simdjson::dom::element& document, std::string_view stage_directory,
                  const std::map<std::string, graph::Digest>& staged, std::string_view project_directory);

  [[nodiscard]] graph::Digest digest(const simdjson::dom::element& service) const;

 private:
  void add_definition(std::string_view kind, std::string_view name, std::string& out) const;
  void add_contents(const simdjson::dom::element& definition, std::string& out) const;
  void add_seccomp_profiles(const simdjson::dom::element& service, std::string& out) const;
  void encode(const simdjson::dom::element& value, std::string& out) const;

  const simdjson::dom::element& document_;
  std::string stage_;  ///< ends in '/'
  const std::map<std::string, graph::Digest>& staged_;
  std::filesystem::path project_;  ///< staged path of the project's directory
};

}  // namespace otto::stack
