#include "engine/images/prune.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/images/scripts.h"
#include "engine/parent/docker_command.h"
#include "engine/parent/lock_script.h"
#include "graph/base/record.h"
#include "graph/base/text.h"

namespace otto::images {

namespace {

std::string survey_script(const PruneCall& call, const parent::PruneQuery& query) {
  std::string script = parent::docker_prelude(call.settings) +
                       fmt::format("otto_root={} otto_project={}\n{}", text::shell_quote(call.facts.stage_root),
                                   text::shell_quote(text::to_lower(query.project)), kSurveyScript);
  for (const std::string& id : query.ids) script += fmt::format("otto_image {}\n", text::shell_quote(id));
  for (const std::string& record : query.records) script += fmt::format("otto_record {}\n", text::shell_quote(record));
  return script + "exit 0\n";
}

parent::PruneSurvey read_survey(const std::string& answer) {
  parent::PruneSurvey survey;
  for (const Record& record : split_records(answer)) {
    std::string name, image, reference;
    std::uint64_t bytes = 0;
    if (record.kind() == "container" && record.read(image, reference, name)) {
      if (name.starts_with('/')) name.erase(0, 1);
      survey.users.emplace(image, name);
      survey.users.emplace(reference, name);
    }
    std::string size;
    if (!record.read(name, size)) continue;
    (void)record.read(name, bytes);  // no number: nobody could tell its size
    if (record.kind() == "image") survey.images[name] = bytes;
    if (record.kind() == "stage") survey.stages[name] = bytes;
    if (record.kind() == "record") survey.records[name] = bytes;
  }
  return survey;
}

std::string removal_script(const PruneCall& call, const std::vector<parent::Removal>& what) {
  std::string script = parent::docker_prelude(call.settings) + parent::lock_functions(call.facts) +
                       fmt::format("otto_root={}\n{}", text::shell_quote(call.facts.stage_root), kPruneScript);
  for (const parent::Removal& removal : what) {
    const std::string_view verb = removal.kind == parent::Removal::Kind::kTag     ? "otto_tag"
                                  : removal.kind == parent::Removal::Kind::kStage ? "otto_stage"
                                                                                  : "otto_record";
    script += fmt::format("{} {} {}\n", verb, text::shell_quote(removal.name),
                          text::shell_quote(parent::image_lock(removal.name)));
  }
  return script + "exit 0\n";
}

Result<std::string> answer_to(const PruneCall& call, std::string text, std::string_view what) {
  transport::Script script;
  script.text = std::move(text);
  script.stop = call.stop;
  OTTO_TRY(const transport::Output output, call.remote.run(script));
  if (output.status.success()) return output.out;
  return parent::docker_error(output, call.remote.host_id(), ErrorCode::kRemoteFailed, what);
}

}  // namespace

Result<parent::PruneSurvey> survey_parent(const PruneCall& call, const parent::PruneQuery& query) {
  OTTO_TRY(const std::string answer, answer_to(call, survey_script(call, query), "asking what images use failed"));
  return read_survey(answer);
}

Result<std::map<std::string, std::string>> remove_pruned(const PruneCall& call,
                                                         const std::vector<parent::Removal>& what) {
  std::map<std::string, std::string> kept;
  if (what.empty()) return kept;
  OTTO_TRY(const std::string answer, answer_to(call, removal_script(call, what), "pruning failed"));
  for (const Record& record : split_records(answer)) {
    std::string name, why;
    if (record.kind() == "kept" && record.read(name, why)) kept[name] = text::printable(why);
  }
  return kept;
}

}  // namespace otto::images
