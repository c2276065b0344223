#include "cache/ssh_answer_store.h"

#include "cache/sqlite.h"

namespace otto::cache {

Result<std::optional<std::string>> SshAnswerStore::find(std::string_view question) {
  return database_->guarded([&]() -> Result<std::optional<std::string>> {
    OTTO_TRY(sqlite::Query query,
             database_->connection().query("SELECT answer FROM ssh_answer WHERE question = ?1", question));
    OTTO_TRY(const bool row, query.next());
    return row ? std::optional(query.text(0)) : std::nullopt;
  });
}

Result<void> SshAnswerStore::put(std::string_view question, std::string_view answer) {
  return database_->in_transaction([&]() -> Result<void> {
    sqlite::Connection& connection = database_->connection();
    OTTO_RETURN_IF_ERROR(
        connection.run("INSERT OR REPLACE INTO ssh_answer (question, answer) VALUES (?1, ?2)", question, answer));
    return connection.run("DELETE FROM ssh_answer WHERE sequence <= ?1", connection.last_insert_id() - kMost);
  });
}

}  // namespace otto::cache
