#include "cache/parent_store.h"

#include "cache/sqlite.h"

namespace otto::cache {

Result<std::optional<std::string>> ParentStore::facts(std::string_view parent) {
  return database_->guarded([&]() -> Result<std::optional<std::string>> {
    OTTO_TRY(sqlite::Query query,
             database_->connection().query("SELECT body FROM parent_facts WHERE parent = ?1", parent));
    OTTO_TRY(const bool row, query.next());
    return row ? std::optional(query.text(0)) : std::nullopt;
  });
}

Result<void> ParentStore::put_facts(std::string_view parent, std::string_view text) {
  return database_->guarded([&] {
    return database_->connection().run("INSERT OR REPLACE INTO parent_facts (parent, body) VALUES (?1, ?2)", parent,
                                       text);
  });
}

Result<void> ParentStore::forget_facts(std::string_view parent) {
  return database_->guarded(
      [&] { return database_->connection().run("DELETE FROM parent_facts WHERE parent = ?1", parent); });
}

Result<std::optional<StageRecord>> ParentStore::stage(std::string_view parent, std::string_view key) {
  return database_->guarded([&]() -> Result<std::optional<StageRecord>> {
    OTTO_TRY(sqlite::Query query,
             database_->connection().query(
                 "SELECT parent, key, stamp, manifest FROM stage WHERE parent = ?1 AND key = ?2", parent, key));
    OTTO_TRY(const bool row, query.next());
    if (!row) return std::optional<StageRecord>();
    return std::optional(StageRecord{query.text(0), query.text(1), query.text(2), query.text(3)});
  });
}

Result<void> ParentStore::put_stage(const StageRecord& stage) {
  return database_->guarded([&] {
    return database_->connection().run(
        "INSERT OR REPLACE INTO stage (parent, key, stamp, manifest) VALUES (?1, ?2, ?3, ?4)", stage.parent, stage.key,
        stage.stamp, sqlite::Blob{stage.manifest});
  });
}

Result<void> ParentStore::forget_stage(std::string_view parent, std::string_view key) {
  return database_->guarded(
      [&] { return database_->connection().run("DELETE FROM stage WHERE parent = ?1 AND key = ?2", parent, key); });
}

Result<std::optional<StackRecord>> ParentStore::stack(std::string_view parent, std::string_view project) {
  return database_->guarded([&]() -> Result<std::optional<StackRecord>> {
    OTTO_TRY(
        sqlite::Query query,
        database_->connection().query(
            "SELECT parent, project, inputs, model FROM stack WHERE parent = ?1 AND project = ?2", parent, project));
    OTTO_TRY(const bool row, query.next());
    if (!row) return std::optional<StackRecord>();
    return std::optional(StackRecord{query.text(0), query.text(1), query.text(2), query.text(3)});
  });
}

Result<void> ParentStore::put_stack(const StackRecord& stack) {
  return database_->guarded([&] {
    return database_->connection().run(
        "INSERT OR REPLACE INTO stack (parent, project, inputs, model) VALUES (?1, ?2, ?3, ?4)", stack.parent,
        stack.project, stack.inputs, stack.model);
  });
}

Result<void> ParentStore::forget_stack(std::string_view parent, std::string_view project) {
  return database_->guarded([&] {
    return database_->connection().run("DELETE FROM stack WHERE parent = ?1 AND project = ?2", parent, project);
  });
}

Result<std::vector<ContainerRecord>> ParentStore::containers(std::string_view parent,
                                                             std::string_view compose_project) {
  return database_->guarded([&]() -> Result<std::vector<ContainerRecord>> {
    OTTO_TRY(sqlite::Query query,
             database_->connection().query(
                 "SELECT id, service, number, image_id, image, service_digest, account FROM container "
                 "WHERE parent = ?1 AND compose_project = ?2 ORDER BY id",
                 parent, compose_project));
    std::vector<ContainerRecord> containers;
    while (true) {
      OTTO_TRY(const bool row, query.next());
      if (!row) return containers;
      containers.push_back({query.text(0), query.text(1), static_cast<unsigned>(query.integer(2)), query.text(3),
                            query.text(4), query.text(5), query.text(6)});
    }
  });
}

Result<void> ParentStore::put_containers(std::string_view parent, std::string_view compose_project,
                                         const std::vector<ContainerRecord>& containers) {
  return database_->in_transaction([&]() -> Result<void> {
    sqlite::Connection& connection = database_->connection();
    OTTO_RETURN_IF_ERROR(
        connection.run("DELETE FROM container WHERE parent = ?1 AND compose_project = ?2", parent, compose_project));
    for (const ContainerRecord& container : containers) {
      OTTO_RETURN_IF_ERROR(
          connection.run("INSERT OR REPLACE INTO container VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", container.id,
                         parent, compose_project, container.service, static_cast<std::int64_t>(container.number),
                         container.image_id, container.image, container.service_digest, container.account));
    }
    return {};
  });
}

}  // namespace otto::cache
