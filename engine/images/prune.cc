#include "engine/images/prune.h"

#include <fmt/format.h>

#include <charconv>

#include "engine/parent/lock_script.h"
#include "graph/base/record.h"
#include "graph/base/text.h"

namespace otto::images {

namespace {

/// Lines "container ID REFERENCE NAME", "image ID BYTES", "stage KEY BYTES", "record NAME BYTES", fields by tabs.
std::string survey_script(const PruneCall& call, std::string_view project, const std::vector<std::string>& ids,
                          const std::vector<std::string>& records) {
  std::string script = parent::docker_prelude(*call.settings);
  // Containers of others come and go: one that has gone since it was listed uses nothing any more.
  script += fmt::format(R"sh(root={}
ids=$(otto_docker ps -aq --no-trunc) || exit $?
if [ -n "$ids" ]; then
  {{ said=$(otto_docker container inspect --format 'container	{{{{.Image}}}}	{{{{.Config.Image}}}}	{{{{.Name}}}}' $ids 2>&1 >&3); }} 3>&1
  status=$?
  if [ $status != 0 ] && printf '%s\n' "$said" | grep -qiv 'no such container'; then
    printf '%s\n' "$said" >&2
    exit $status
  fi
fi
)sh",
                        text::shell_quote(call.facts->stage_root));
  for (const std::string& id : ids) {
    script += fmt::format("otto_docker image inspect --format 'image\t{{{{.Id}}}}\t{{{{.Size}}}}' {} 2>/dev/null\n",
                          text::shell_quote(id));
  }
  // A context stage is PROJECT-<16 hex digits>; one without a tree was pruned before.
  std::string pattern = text::shell_quote(text::to_lower(project) + "-");
  for (int digit = 0; digit < 16; ++digit) pattern += "[0-9a-f]";
  script += fmt::format(R"sh(
bytes() {{ du -sk -- "$1" 2>/dev/null | {{ read -r kilobytes rest; printf '%s' "$((${{kilobytes:-0}} * 1024))"; }}; }}
for stage in "$root"/{}; do
  for tree in "$stage"/tree.*; do
    [ -d "$tree" ] || continue
    printf 'stage\t%s\t%s\n' "${{stage##*/}}" "$(bytes "$stage")"
    break
  done
done
)sh",
                        pattern);
  for (const std::string& record : records) {
    script +=
        fmt::format("[ ! -f \"$root\"/built/{0} ] || printf 'record\t%s\t%s\n' {0} \"$(bytes \"$root\"/built/{0})\"\n",
                    text::shell_quote(record));
  }
  return script + "exit 0\n";
}

PruneSurvey read_survey(const std::string& answer) {
  PruneSurvey survey;
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

/// "kept NAME WHY" for what stayed.
std::string removal_script(const PruneCall& call, const std::vector<PruneStep>& steps) {
  std::string script = parent::docker_prelude(*call.settings) + parent::lock_functions(*call.facts);
  script += fmt::format(R"sh(root={}
kept() {{ printf 'kept\t%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\t\n' '  ')"; }}
otto_tag() {{
  otto_lock_room && : >>"$(otto_state "$2.lock")" && exec 7>>"$(otto_state "$2.lock")" && flock -n -x 7 </dev/null ||
    {{ kept "$1" "in use by another otto"; return 0; }}
  said=$(otto_docker image rm "$1" 2>&1 >/dev/null) && return 0
  otto_docker image inspect "$1" >/dev/null 2>&1 || return 0
  kept "$1" "$said"
}}
otto_stage() (
  cd "$root/$1" || exit 0
  exec 9>>lock && flock -n -x 9 </dev/null || {{ kept "$1" "in use by another otto"; exit 0; }}
  rm -f -- stamp stamp.old by reserved && {{ rm -rf -- tree.* data.* work.* pending renaming 2>/dev/null ||
    {{ find . -type d ! -perm -0700 -exec chmod u+rwx {{}} \; ; rm -rf -- tree.* data.* work.*; }} }} </dev/null ||
    kept "$1" "it cannot be deleted"
)
otto_record() {{ rm -f -- "$root/built/$1" "$root/built/dockerfiles/$1"; }}
)sh",
                        text::shell_quote(call.facts->stage_root));
  for (const PruneStep& step : steps) {
    const std::string_view verb = step.kind == docker::PruneKind::kTag     ? "otto_tag"
                                  : step.kind == docker::PruneKind::kStage ? "otto_stage"
                                                                           : "otto_record";
    script +=
        fmt::format("{} {} {}\n", verb, text::shell_quote(step.name), text::shell_quote(parent::image_lock(step.name)));
  }
  return script + "exit 0\n";
}

Result<std::string> answer_to(const PruneCall& call, std::string text, std::string_view what) {
  transport::Script script;
  script.text = std::move(text);
  script.stop = call.stop;
  OTTO_TRY(const transport::Output output, call.remote->run(script));
  if (output.status.success()) return output.out;
  return parent::docker_error(output, call.remote->host_id(), ErrorCode::kRemoteFailed, what);
}

}  // namespace

Result<PruneSurvey> survey_parent(const PruneCall& call, std::string_view project, const std::vector<std::string>& ids,
                                  const std::vector<std::string>& records) {
  OTTO_TRY(const std::string answer,
           answer_to(call, survey_script(call, project, ids, records), "asking what images use failed"));
  return read_survey(answer);
}

Result<std::map<std::string, std::string>> remove_pruned(const PruneCall& call, const std::vector<PruneStep>& steps) {
  std::map<std::string, std::string> kept;
  if (steps.empty()) return kept;
  OTTO_TRY(const std::string answer, answer_to(call, removal_script(call, steps), "pruning failed"));
  for (const Record& record : split_records(answer)) {
    std::string name, why;
    if (record.kind() == "kept" && record.read(name, why)) kept[name] = text::printable(why);
  }
  return kept;
}

}  // namespace otto::images
