// ssh's answers kept in the memo, for one connection being made.
//
// What cannot be read or kept there is asked of ssh again, without a word. Opens the memo for itself, because it is
// used by connecting threads: for reading at the first question, for writing only where there is something to keep.
// Used by one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cache/database.h"
#include "transport/ssh/ssh_answer.h"

namespace otto::workspace {

class SshAnswerMemo final : public transport::SshAnswers {
 public:
  std::optional<std::string> recall(const std::string& question) override;
  void remember(const std::string& question, const std::string& answer) override;

  /// What opening the memo for writing had to say, each given once.
  std::vector<std::string> take_warnings();

 private:
  bool looked_ = false;  ///< whether there is a memo to read
  std::optional<cache::Database> reader_;
  std::vector<std::string> warnings_;
};

}  // namespace otto::workspace
