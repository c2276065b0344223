#include "transport/supervisor_script.h"

#include <fmt/format.h>

#include "graph/base/text.h"
#include "transport/scripts.h"

namespace otto::transport {
std::string supervisor_script(std::string_view token, std::string_view pause) {
  return fmt::format("token={} pause={}\n{}", token, pause, kSupervisorScript);
}

std::string_view heartbeat_line() { return ".\n"; }

std::string end_job_order(const JobTicket& job) { return fmt::format("k{}\n", job.job); }

std::string job_script(std::string_view text, const JobTicket& job, std::string_view mark) {
  return fmt::format("otto_token={} otto_job={} otto_mark={} otto_text={}\n{}", job.token, job.job, mark,
                     text::shell_quote(text), kJobScript);
}

}  // namespace otto::transport
