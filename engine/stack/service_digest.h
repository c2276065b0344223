// The digest of a service in Compose's resolved configuration, equal for equal configurations whatever their order, and
// the parts that it is made of. Internal to stack/; stack_model.h is the door.
//
// Objects are encoded key-sorted, every value with its type and length, so that no two configurations can be re-spelt
// into each other. Environment values enter digests and nothing else. Document and sources outlive the digester. Pure.
#pragma once

#include <simdjson.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/stack/service_definition.h"
#include "engine/stack/stack_model.h"
#include "graph/digest.h"

namespace otto::stack {

class ServiceDigester {
 public:
  /// `document`: the whole answer of `docker compose config --format json`.
  ServiceDigester(const simdjson::dom::element& document, const ModelSources& sources);

  [[nodiscard]] graph::Digest digest(const simdjson::dom::element& service) const;
  /// `name`: of the service, by which the sources know it.
  [[nodiscard]] ServiceDefinition definition(const std::string& name, const simdjson::dom::element& service) const;

 private:
  using Parts = std::vector<DefinitionPart>;
  using Sources = const ModelSources::OfService*;  ///< null: nothing of the service was read here
  void add_key(const std::string& key, const simdjson::dom::element& value, Sources sources, Parts& parts) const;
  void add_used(std::string_view kind, std::string_view name, Parts& parts) const;
  void add_sources(Sources sources, Parts& parts) const;
  [[nodiscard]] DefinitionPart part_of(std::string_view key, std::string subject, const simdjson::dom::element& value,
                                       Sources sources) const;
  [[nodiscard]] graph::Digest secret_digest(std::string_view bytes) const;
  void add_definition(std::string_view kind, std::string_view name, std::string& out) const;
  void add_contents(const simdjson::dom::element& definition, std::string& out) const;
  void add_seccomp_profiles(const simdjson::dom::element& service, std::string& out) const;
  void encode(const simdjson::dom::element& value, std::string& out) const;

  const simdjson::dom::element& document_;
  const ModelSources& sources_;
  std::string stage_;              ///< ends in '/'
  std::filesystem::path project_;  ///< staged path of the project's directory
};

}  // namespace otto::stack
