// What is remembered of a parent: its facts, what its stages hold, the models of its stacks and their containers.
//
// All of it is a guess that spares a question: whoever finds the parent contradicting it forgets it here. `parent` is a
// host id. Texts are opaque. Borrows the Database; same thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/database.h"
#include "cache/records.h"

namespace otto::cache {

class ParentStore {
 public:
  explicit ParentStore(Database& database) : database_(&database) {}

  /// What rarely changes about a parent (tools, versions, builder, home), as one text the engine reads and writes.
  Result<std::optional<std::string>> facts(std::string_view parent);
  Result<void> put_facts(std::string_view parent, std::string_view text);
  Result<void> forget_facts(std::string_view parent);

  Result<std::optional<StageRecord>> stage(std::string_view parent, std::string_view key);
  Result<void> put_stage(const StageRecord& stage);
  Result<void> forget_stage(std::string_view parent, std::string_view key);

  Result<std::optional<StackRecord>> stack(std::string_view parent, std::string_view project);
  Result<void> put_stack(const StackRecord& stack);
  Result<void> forget_stack(std::string_view parent, std::string_view project);

  /// The containers of a compose project, sorted by id.
  Result<std::vector<ContainerRecord>> containers(std::string_view parent, std::string_view compose_project);
  /// Replaces all of them at once.
  Result<void> put_containers(std::string_view parent, std::string_view compose_project,
                              const std::vector<ContainerRecord>& containers);

 private:
  Database* database_;
};

}  // namespace otto::cache
