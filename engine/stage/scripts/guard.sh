# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # otto_root is set before, otto_s_* by common.sh; otto_stage_tree is for others
# otto_stage_enter KEY STAMP and otto_stage_verify (docs/stage.md, "Guards"): both exit 75 with `otto-stage-stale` where the
# stage is another. Expects otto_root; otto_me and lock_holder.sh where a reader shall be noted. Sets otto_stage_tree.

otto_stage_stale() { printf 'otto-stage-stale\n' >&2; exit 75; }
otto_stage_enter() {
  otto_stage_dir=$otto_root/$1 otto_stage_stamp=$2
  [ -r "$otto_stage_dir/lock" ] || otto_stage_stale
  exec 9<"$otto_stage_dir/lock"
  flock -s 9 </dev/null || otto_stage_stale
  otto_stage_verify
  rm -f "$otto_stage_dir/reserved"
  [ -z "${otto_me-}" ] || otto_note_holder "$otto_me" "$otto_stage_dir/by"
  otto_stage_tree=$otto_stage_dir/$otto_s_tree
}
otto_stage_verify() {
  otto_stage_read "$otto_stage_dir/stamp" && [ "$otto_s_id" = "$otto_stage_stamp" ] || otto_stage_stale
  [ -d "$otto_stage_dir/$otto_s_tree" ] || otto_stage_stale
  [ "$otto_s_kind" = context ] || return 0
  otto_stage_list "$otto_stage_dir/$otto_s_tree" | cmp -s - "$otto_stage_dir/$otto_s_data/listing" || otto_stage_stale
}
