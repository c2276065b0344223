#include "cli/render/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/golden.h"
#include "tests/cli/samples.h"

namespace otto::cli {
namespace {

using Json = nlohmann::json;
using Keys = std::set<std::string>;

Keys keys(const Json& object) {
  Keys all;
  for (const auto& [key, value] : object.items()) all.insert(key);
  return all;
}

const Keys kImageKeys = {"name",           "status",         "tag",        "hash", "image_id", "reasons",
                         "uploaded_bytes", "uploaded_files", "duration_ms"};

TEST(Json, BuildHasTheKeysOfTheInterface) {
  const std::vector<docker::BuildReport> reports = {samples::partly_failed()};
  const std::string text = json::build(reports);
  const Json json = Json::parse(text);
  EXPECT_EQ(keys(json), (Keys{"parent", "parent_reachable", "repo", "images"}));
  ASSERT_EQ(json["images"].size(), 4U);
  for (const Json& image : json["images"]) EXPECT_EQ(keys(image), kImageKeys);
  EXPECT_EQ(json["images"][0]["status"], "built");
  EXPECT_EQ(json["images"][0]["uploaded_bytes"], 1400);
  EXPECT_EQ(json["images"][1]["status"], "cached");
  EXPECT_EQ(json["images"][2]["status"], "failed");
  EXPECT_EQ(json["images"][3]["status"], "skipped");
  const Json& reason = json["images"][0]["reasons"][0];
  EXPECT_EQ(reason, Json::parse(R"({"kind":"file-changed","subject":"src/main.c","detail":""})"));
  expect_golden("build.json", text);
}

TEST(Json, SeveralReportsAreOneDocument) {
  const std::vector<docker::BuildReport> two = {samples::built(), samples::unreachable_dry_run()};
  const Json json = Json::parse(json::build(two));
  EXPECT_EQ(keys(json), Keys{"reports"});
  ASSERT_EQ(json["reports"].size(), 2U);
  EXPECT_EQ(json["reports"][1]["parent_reachable"], false);
  EXPECT_EQ(json["reports"][1]["images"][0]["status"], "unknown");
  EXPECT_FALSE(json["reports"][0].contains("error"));
  EXPECT_EQ(json["reports"][1]["error"]["code"], "unreachable");
  EXPECT_EQ(Json::parse(json::build({})), Json::parse(R"({"reports":[]})"));
}

TEST(Json, UpHasTheKeysOfTheInterface) {
  const std::vector<docker::UpReport> reports = {samples::up()};
  const std::string text = json::up(reports);
  const Json json = Json::parse(text);
  EXPECT_EQ(keys(json), (Keys{"parent", "parent_reachable", "repo", "project", "images", "services"}));
  ASSERT_EQ(json["services"].size(), 3U);
  for (const Json& service : json["services"]) {
    EXPECT_EQ(keys(service), (Keys{"service", "host_id", "container_id", "image", "action", "reasons"}));
  }
  EXPECT_EQ(json["services"][0]["action"], "recreated");
  EXPECT_EQ(json["services"][1]["action"], "unchanged");
  EXPECT_EQ(json["services"][2]["action"], "completed");
  expect_golden("up.json", text);
}

std::string context_text(const docker::ContextListing& listing) {
  std::string all;
  json::context(listing, [&](std::string_view piece) { all += piece; });
  return all;
}

TEST(Json, BytesThatAreNoUtf8StayValidJson) {
  const Json build = Json::parse(json::build(std::vector{samples::built()}));
  EXPECT_EQ(build["images"][0]["reasons"][2]["subject"], "sr\nc/\x1b[31m\xef\xbf\xbd.txt");
  const Json context = Json::parse(context_text(samples::context()));
  EXPECT_EQ(context["files"][2]["path"], "sr\nc/\x1b[31m\xef\xbf\xbd.txt");
}

TEST(Json, ContextHasTheKeysOfTheInterface) {
  const Json json = Json::parse(context_text(samples::context()));
  EXPECT_EQ(keys(json), (Keys{"image", "root", "hash", "files"}));
  EXPECT_EQ(json["files"][0], Json::parse(R"({"path":"Dockerfile","type":"file","mode":"0644","size":812})"));
  EXPECT_EQ(json["files"][1]["type"], "dir");
  EXPECT_EQ(json["files"][2]["mode"], "4755");
  EXPECT_EQ(json["files"][3],
            Json::parse(R"({"path":"run","type":"symlink","mode":"0777","size":0,"target":"bin/run"})"));
}

TEST(Json, ContextInPiecesIsTheDocumentInOne) {
  docker::ContextListing listing = samples::context();
  for (int i = 0; i < 600; ++i) listing.manifest.entries.push_back(listing.manifest.entries[2]);
  for (std::size_t files : {604, 4, 1, 0}) {
    listing.manifest.entries.resize(files);
    const std::string text = context_text(listing);
    EXPECT_EQ(text, nlohmann::ordered_json::parse(text).dump(2) + "\n") << files;
  }
}

TEST(Json, HostsNameWhatIsKnownAndLeaveOutTheRest) {
  const Json json = Json::parse(json::hosts(samples::hosts()));
  EXPECT_EQ(keys(json), Keys{"hosts"});
  EXPECT_EQ(json["hosts"][0], Json::parse(R"({"id":"pepper_seed","kind":"unix","lab":"veggies","docker_capable":true,
                                              "state":"unknown"})"));
  EXPECT_EQ(keys(json["hosts"][2]),
            (Keys{"id", "kind", "parent", "lab", "docker_capable", "state", "container_id", "image", "last_seen"}));
  EXPECT_EQ(json["hosts"][2]["last_seen"], "2026-11-22T15:04:05Z");
  EXPECT_EQ(json["hosts"][3]["state"], "declared");
}

TEST(Json, PsHasTheKeysOfTheInterface) {
  const std::string text = json::ps(samples::containers());
  const Json json = Json::parse(text);
  EXPECT_EQ(keys(json["hosts"][0]), (Keys{"id", "reachable", "containers"}));
  EXPECT_EQ(keys(json["hosts"][0]["containers"][0]), (Keys{"id", "name", "image", "status", "service", "host_id"}));
  EXPECT_EQ(keys(json["hosts"][0]["containers"][1]), (Keys{"id", "name", "image", "status"}));
  EXPECT_EQ(keys(json["hosts"][2]), (Keys{"id", "reachable", "error", "containers"}));
  EXPECT_EQ(json["hosts"][2]["error"]["code"], "unreachable");
  expect_golden("ps.json", text);
}

TEST(Json, AnErrorLeavesOutAnEmptyHint) {
  const Error bare = make_error(ErrorCode::kUnknownName, "unknown image 'x'");
  EXPECT_EQ(Json::parse(json::error(bare)),
            Json::parse(R"({"error":{"code":"unknown_name","message":"unknown image 'x'","context":[]}})"));
  const Error full = make_error(ErrorCode::kAuthFailed, "refused", "add a key").in("while connecting");
  EXPECT_EQ(Json::parse(json::error(full)),
            Json::parse(R"({"error":{"code":"auth_failed","message":"refused","context":["while connecting"],
                            "hint":"add a key"}})"));
}

TEST(Json, ADocumentEndsInOneNewline) {
  const std::string text = json::version("0.1.0");
  EXPECT_TRUE(text.ends_with("}\n"));
  EXPECT_EQ(Json::parse(text), Json::parse(R"({"version":"0.1.0"})"));
}

TEST(Json, SmallDocuments) {
  EXPECT_EQ(Json::parse(json::labs(std::vector<std::string>{"veggies"})), Json::parse(R"({"labs":["veggies"]})"));
  EXPECT_EQ(Json::parse(json::command("pepper", {0, "a\xff", "err"})).at("stdout_base64"), "Yf8=");
  EXPECT_FALSE(Json::parse(json::command("pepper", {0, "a\xff", "err"})).contains("stderr_base64"));
  EXPECT_EQ(Json::parse(json::command("pepper", {3, "out", "err"})),
            Json::parse(R"({"host_id":"pepper","exit_code":3,"stdout":"out","stderr":"err"})"));
  docker::DownReport down;
  down.parent = "pepper_seed";
  down.repo = "veggies";
  down.project = "p";
  down.removed = {"pepper_seed.veggies.api"};
  EXPECT_EQ(Json::parse(json::down(std::vector{down})),
            Json::parse(R"({"parent":"pepper_seed","repo":"veggies","project":"p",
                            "removed":["pepper_seed.veggies.api"]})"));
}

TEST(Json, AProgressEventIsOneLine) {
  const std::string line = json::progress(Event::in_phase(Phase::kUploading, "a\nb", "", 5, 10));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(Json::parse(line),
            Json::parse(R"({"event":"phase","phase":"uploading","subject":"a\nb","done":5,"total":10})"));
}

}  // namespace
}  // namespace otto::cli
