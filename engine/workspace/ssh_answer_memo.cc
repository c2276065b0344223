#include "engine/workspace/ssh_answer_memo.h"

#include <utility>

#include <fmt/format.h>

#include "cache/ssh_answer_store.h"
#include "graph/digest.h"

namespace otto::workspace {

namespace {

/// By the memo's own secret: nobody can tell from the digest what the files hold.
std::string digest_of(const std::string& question, const cache::Database& memo) {
  const graph::ChangeDigest digest = graph::change_digest(question, memo.change_key());
  return fmt::format("{:016x}{:016x}", digest.high, digest.low);
}

}  // namespace

std::optional<std::string> SshAnswerMemo::recall(const std::string& question) {
  if (!std::exchange(looked_, true)) {
    auto opened = cache::Database::open_existing_read_only(cache::Database::default_path());
    if (opened.ok()) reader_ = std::move(*opened);
  }
  if (!reader_) return std::nullopt;
  auto found = cache::SshAnswerStore(*reader_).find(digest_of(question, *reader_));
  return found.ok() ? std::move(*found) : std::nullopt;
}

void SshAnswerMemo::remember(const std::string& question, const std::string& answer) {
  auto writer = cache::Database::open(cache::Database::default_path(), cache::OpenMode::kReadWrite, warnings_);
  if (!writer.ok()) return;
  (void)cache::SshAnswerStore(*writer).put(digest_of(question, *writer), answer);
  for (std::string& warning : writer->take_warnings()) warnings_.push_back(std::move(warning));
}

std::vector<std::string> SshAnswerMemo::take_warnings() { return std::exchange(warnings_, {}); }

}  // namespace otto::workspace
