#include "engine/parent/remote_probe.h"

#include "tests/engine/parent/fake_docker.h"

namespace otto::parent {
namespace {

constexpr const char* kEngine = R"sh(
case "$1 $2" in
"image ls")
  printf 'image\tsha256:aaa\tp-api:0123\n'
  printf 'image\tsha256:bbb\tdebian:latest\n' ;;
"ps -a") printf 'state\tc1\tp-api-1\t2 hours ago\tUp 1 hour\n' ;;
"container inspect")
  printf 'container\tc2\tsha256:aaa\trunning\t0\tweb\t2\tabcd\tp-api:0123\t/p-web-2\tunhealthy\t4\tann\n'
  printf 'container\tc1\tsha256:aaa\texited\t3\tapi\t1\t<no value>\tp-api:0123\t/p-api-1\t\t0\t<no value>\n' ;;
"version --format") echo 26.1.5 ;;
"info --format") echo AB:CD:12 ;;
"buildx version") echo ok ;;
"compose version") echo 2.26.1 ;;
esac
)sh";

TEST(ProbeTest, TellsImagesContainersAndFacts) {
  FakeDocker docker(kEngine);
  const auto probe =
      probe_parent(docker.remote, docker.settings,
                   {.images = {"p-api:0123", "debian", "p-db:77"}, .compose_project = "otto-p-me", .want_facts = true});
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_EQ(probe->image_ids,
            (std::map<std::string, std::string>{{"debian", "sha256:bbb"}, {"p-api:0123", "sha256:aaa"}}));
  ASSERT_EQ(probe->containers.size(), 2U);
  EXPECT_EQ(probe->containers[0].service, "api");
  EXPECT_EQ(probe->containers[0].exit_code, 3);
  EXPECT_EQ(probe->containers[0].service_digest, "");
  EXPECT_EQ(probe->containers[1].number, 2U);
  EXPECT_EQ(probe->containers[1].service_digest, "abcd");
  EXPECT_EQ(probe->containers[0].name, "p-api-1");
  EXPECT_EQ(probe->containers[0].account, "");
  EXPECT_EQ(probe->containers[1].health, Health::kUnhealthy);
  EXPECT_EQ(probe->containers[1].restarts, 4U);
  EXPECT_EQ(probe->containers[1].account, "ann");
  EXPECT_FALSE(probe->facts->account.empty());
  EXPECT_TRUE(probe->facts->lock_root.ends_with("/engine-ABCD12")) << probe->facts->lock_root;
  ASSERT_TRUE(probe->facts);
  EXPECT_EQ(probe->facts->engine_version, "26.1.5");
  EXPECT_EQ(probe->facts->compose_version, "2.26.1");
  EXPECT_TRUE(probe->facts->has_buildx);
  EXPECT_TRUE(probe->facts->stage_root.ends_with("/otto/stages"));
}

TEST(ProbeTest, AStandaloneComposeIsFoundBesideDocker) {
  FakeDocker docker("[ \"$1\" != compose ] && [ \"$1\" != buildx ]\n");
  docker.tree.write("docker-compose", "#!/bin/sh\necho 1.29.2\n", 0755);
  const auto probe = probe_parent(docker.remote, docker.settings, {.want_facts = true});
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_FALSE(probe->facts->has_buildx);
  EXPECT_EQ(probe->facts->compose_version, "1.29.2");
  EXPECT_TRUE(probe->facts->compose_standalone);
  EXPECT_TRUE(probe->facts->compose_v1());
}

TEST(ProbeTest, AnEngineErrorIsNotAMissingImage) {
  struct Case {
    const char* words;
    ErrorCode code;
  };
  for (const Case& test :
       {Case{"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?",
             ErrorCode::kDockerMissing},
        Case{"permission denied while trying to connect to the Docker daemon socket", ErrorCode::kDockerDenied},
        Case{"sudo: a password is required", ErrorCode::kDockerDenied},
        Case{"Error response from daemon: something else", ErrorCode::kRemoteFailed}}) {
    FakeDocker docker("echo '" + std::string(test.words) + "' >&2; exit 1\n");
    const auto probe = probe_parent(docker.remote, docker.settings, {.images = {"p-api:0123"}});
    ASSERT_FALSE(probe.ok());
    EXPECT_EQ(probe.error().code, test.code) << probe.error().message;
    EXPECT_NE(probe.error().message.find("carrot_seed"), std::string::npos);
  }
}

/// What is known of containers is believed where they are plainly up or down; what could be half replaced, restarted
/// again and again or only just begun is inspected.
TEST(ProbeTest, KnownContainersAreInspectedAgainOnlyWhereTheirListingIsNotPlain) {
  struct Case {
    const char* listed;  // name, age, status
    bool inspected;
  };
  for (const Case& test :
       {Case{"p-api-1\t3 hours ago\tUp 2 hours", false},
        Case{"p-api-1,p-web-1/api\t3 hours ago\tUp 2 hours (unhealthy)", false},
        Case{"p-api-1\t3 hours ago\tExited (137) 3 days ago", false},
        Case{"p-api-1\t3 hours ago\tUp 10 seconds", false}, Case{"p-api-1\t3 hours ago\tUp 9 seconds", true},
        Case{"p-api-1\t11 seconds ago\tUp 9 seconds", true}, Case{"p-api-1\t10 seconds ago\tUp 9 seconds", false},
        Case{"p-api-1\tLess than a second ago\tUp Less than a second", false},
        Case{"p-api-1\tAbout a minute ago\tUp 1 second", true},
        Case{"p-api-1\t3 hours ago\tUp Less than a second", true},
        Case{"p-api-1\t3 hours ago\tUp 2 hours (Paused)", true}, Case{"p-api-1\t3 hours ago\tCreated", true},
        Case{"p-api-1\t3 hours ago\tRestarting (1) 3 seconds ago", true},
        Case{"0123456789ab_p-api-1\t3 hours ago\tExited (0) 2 hours ago", true}}) {
    FakeDocker docker(std::string("case \"$1 $2\" in\n\"ps -a\") printf 'state\\tc1\\t%s\\n' '") + test.listed +
                      "' ;;\n\"container inspect\") : > \"$0.inspected\"; "
                      "printf 'container\\tc1\\ti\\trunning\\t0\\tapi\\t1\\td\\tx\\t/n\\t\\t0\\t\\n' ;;\nesac\n");
    ProbeRequest request{.compose_project = "otto-p-me"};
    request.known_containers.push_back(
        {.service = "api", .id = "c1", .image_id = "i", .image = "x", .service_digest = "d"});
    const auto probe = probe_parent(docker.remote, docker.settings, request);
    ASSERT_TRUE(probe.ok()) << probe.error().message;
    ASSERT_EQ(probe->containers.size(), 1U) << test.listed;
    EXPECT_EQ(std::filesystem::exists(docker.tree.path("docker.inspected")), test.inspected) << test.listed;
    if (!test.inspected) {
      EXPECT_EQ(probe->containers[0].name, "p-api-1") << test.listed;
    }
    if (std::string_view(test.listed).ends_with("(unhealthy)")) {
      EXPECT_EQ(probe->containers[0].health, Health::kUnhealthy);
    }
  }
}

TEST(ProbeTest, AProjectsNotesAreReadBeforeItsContainers) {
  FakeDocker docker(R"sh(
case "$1 $2" in
"ps -a") echo new > "${0%/docker}/locks/engine-1/project.otto-p-me.generation"
  printf 'state\tc1\tp-api-1\t2 hours ago\tUp 1 hour\nstate\tc2\tp-web-1\t2 hours ago\tUp 1 hour\n' ;;
"container inspect")
  for id in c1 c2; do printf 'container\t%s\ti\trunning\t0\tapi\t1\td\tx\t/n\t\t0\t\n' $id; done ;;
esac
)sh");
  docker.tree.write("locks/engine-1/project.otto-p-me.generation", "old\n");
  docker.tree.write("locks/engine-1/project.otto-p-me.doomed", "c2\ngone\n");
  const auto probe = probe_parent(docker.remote, docker.settings,
                                  {.compose_project = "otto-p-me", .lock_root = docker.facts.lock_root});
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_EQ(probe->generation, "old");
  ASSERT_EQ(probe->containers.size(), 2U);
  EXPECT_FALSE(probe->containers[0].doomed);
  EXPECT_TRUE(probe->containers[1].doomed);
}

/// The first call ends only once the other was made.
TEST(ProbeTest, ImagesAndContainersAreAskedForAtOnce) {
  FakeDocker docker(R"sh(
case "$1 $2" in
"image ls")
  for attempt in $(seq 500); do [ ! -e "$0.ps" ] || break; sleep 0.02; done
  [ -e "$0.ps" ] || exit 1
  printf 'image\tsha256:aaa\tp-api:0123\n' ;;
"ps -a") : > "$0.ps"; printf 'state\tc1\tp-api-1\t2 hours ago\tUp 1 hour\n' ;;
"container inspect") printf 'container\tc1\tsha256:aaa\trunning\t0\tapi\t1\td\tx\t/p-api-1\t\t0\t\n' ;;
esac
)sh");
  const auto probe =
      probe_parent(docker.remote, docker.settings, {.images = {"p-api:0123"}, .compose_project = "otto-p-me"});
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_EQ(probe->image_ids.size(), 1U);
  EXPECT_EQ(probe->containers.size(), 1U);
}

TEST(ProbeTest, WhicheverCallFailsItIsAnErrorToldOnce) {
  for (const std::string fails : {"image", "ps", "both"}) {
    FakeDocker docker("fails=" + fails + R"sh(
case "$fails $1" in "image image" | "ps ps" | both*) echo 'Error response from daemon: no' >&2; exit 1 ;; esac
)sh");
    const auto probe =
        probe_parent(docker.remote, docker.settings, {.images = {"p-api:0123"}, .compose_project = "otto-p-me"});
    ASSERT_FALSE(probe.ok()) << fails;
    EXPECT_EQ(probe.error().code, ErrorCode::kRemoteFailed);
    const std::string& words = probe.error().message;
    EXPECT_NE(words.find("daemon: no"), std::string::npos) << words;
    EXPECT_EQ(words.find("daemon: no"), words.rfind("daemon: no")) << words;
  }
}

TEST(ProbeTest, NoDockerCommand) {
  FakeDocker docker("");
  docker.settings.docker_command = {"otto-no-such-docker"};
  const auto probe = probe_parent(docker.remote, docker.settings, {.want_facts = true});
  ASSERT_FALSE(probe.ok());
  EXPECT_EQ(probe.error().code, ErrorCode::kDockerMissing);
  EXPECT_FALSE(probe.error().hint.empty());
}

TEST(ProbeTest, AContainerThatGoesBetweenTheCallsIsNoError) {
  FakeDocker docker(R"sh(
case "$1 $2" in
"ps -a") printf 'state\tc1\tp-api-1\t2 hours ago\tUp 1 hour\n' ;;
"container inspect")
  if [ -e "$0.once" ]; then printf 'container\tc2\tsha256:a\trunning\t0\tapi\t1\td\tx\t/p-api-1\t\t0\t\n'
  else : > "$0.once"; echo 'No such container: c1' >&2; exit 1; fi ;;
esac
)sh");
  const auto probe = probe_parent(docker.remote, docker.settings, {.compose_project = "otto-p-me"});
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  ASSERT_EQ(probe->containers.size(), 1U);
  EXPECT_EQ(probe->containers[0].id, "c2");
}

TEST(ProbeTest, PullsWhatIsMissingOrAskedForAndTellsBaseImagesAndAllTagsOfARepository) {
  FakeDocker docker(R"sh(
case "$1 $2" in
"image ls")
  printf 'image\tsha256:aaa\tp-api:0123\t<none>\nimage\tsha256:abc\tp-api:4567\t<none>\n'
  printf 'image\tsha256:bbb\tbase:1\tsha256:d1\nimage\tsha256:bbb\tbase:1\tsha256:d2\n'
  [ ! -e "$0.pulled" ] || printf 'image\tsha256:ccc\tdebian:latest\tsha256:d3\n' ;;
"pull --quiet")
  case "$3" in
  debian) [ "$4 $5" = "--platform linux/arm64" ] && : > "$0.pulled" ;;
  *) printf 'no such\timage\n' >&2; exit 1 ;;
  esac ;;
esac
)sh");
  ProbeRequest request;
  request.repositories = {"p-api"};
  request.bases = {
      {"base:1", "", Pull::kMissing}, {"debian", "linux/arm64", Pull::kMissing}, {"gone:1", "", Pull::kAlways}};
  const auto probe = probe_parent(docker.remote, docker.settings, request);
  ASSERT_TRUE(probe.ok()) << probe.error().message;
  EXPECT_EQ(probe->image_ids,
            (std::map<std::string, std::string>{{"p-api:0123", "sha256:aaa"}, {"p-api:4567", "sha256:abc"}}));
  EXPECT_EQ(probe->bases.at("base:1").id, "sha256:bbb");
  EXPECT_EQ(probe->bases.at("base:1").digests, (std::vector<std::string>{"sha256:d1", "sha256:d2"}));
  EXPECT_EQ(probe->bases.at("base:1").problem, "");
  EXPECT_EQ(probe->bases.at("debian").id, "sha256:ccc");
  EXPECT_EQ(probe->bases.at("gone:1").id, "");
  EXPECT_EQ(probe->bases.at("gone:1").problem, "no such image");
}

TEST(FactsTest, RememberedForTheSameSettingsOnly) {
  const ParentSettings settings{{"sudo", "-n", "docker"}, "/srv/stage"};
  const ParentFacts facts{"/srv/stage/otto-stages",        "26.1.5", true, "2.26.1", false, true, false, "ann",
                          "/var/tmp/otto-locks-7/engine-1"};
  const std::string text = serialize(facts, settings);
  const auto back = parse_facts(text, settings);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->stage_root, facts.stage_root);
  EXPECT_TRUE(back->has_buildx);
  EXPECT_FALSE(back->has_zstd);
  EXPECT_TRUE(back->has_gzip);
  EXPECT_EQ(back->compose_version, "2.26.1");
  EXPECT_FALSE(back->compose_standalone);
  EXPECT_EQ(back->account, "ann");
  EXPECT_EQ(back->lock_root, facts.lock_root);
  EXPECT_FALSE(parse_facts(text, {{"docker"}, "/srv/stage"}));
  EXPECT_FALSE(parse_facts(text, {{"sudo", "-n", "docker"}, std::nullopt}));
  EXPECT_FALSE(parse_facts("", settings));
  EXPECT_FALSE(parse_facts("facts=0\n" + text, settings));
}

}  // namespace
}  // namespace otto::parent
