#include "engine/images/image_inputs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include "tests/support/temp_tree.h"

namespace otto::images {
namespace {

using Names = std::vector<std::string>;

/// A repo on disk with images as they are added, read with a memo of its own.
struct Repo {
  explicit Repo(std::string repo_name = "p") : name(std::move(repo_name)) {}

  /// `more`: further lines of its [[docker.images]].
  void image(const std::string& image, const std::string& dockerfile, const std::string& context,
             const std::string& more = "") {
    tree.write(image + ".Dockerfile", dockerfile);
    tree.write(context + "/file", "content\n");
    images +=
        fmt::format("[[docker.images]]\nname = \"{0}\"\ndockerfile = \"{0}.Dockerfile\"\ncontext = \"{1}\"\n{2}\n",
                    image, context, more);
  }
  Result<RepoInputs> read(Names wanted = {}) {
    settings.push_back(config::parse_settings(tree.root(), fmt::format("name = \"{}\"\n{}", name, images)).value());
    std::vector<std::string> warnings;
    if (!memo)
      memo.emplace(cache::Database::open(tree.path("state/memo.db"), cache::OpenMode::kReadWrite, warnings).value());
    ReadRequest request;
    request.repo = &settings.back();
    request.images = std::move(wanted);
    request.memo = &*memo;
    request.reporter = &null_reporter();
    return read_images(request);
  }

  std::string name, images;
  testing::TempTree tree;
  std::deque<config::Settings> settings;  // of each read: its images borrow them
  std::optional<cache::Database> memo;
};

Names upstreams_of(const ImageInputs& image) {
  Names names;
  for (const Upstream& upstream : image.upstreams) {
    for (const std::string& spelled : upstream.spelled) names.push_back(upstream.image + "=" + spelled);
  }
  return names;
}

TEST(ImageInputs, ImagesOfTheRepoAreFoundHoweverTheyAreNamed) {
  Repo repo;
  repo.image("api",
             "ARG BASE=p-unused\nFROM ${BASE} AS build\nFROM build AS second\n"
             "COPY --from=p-tools:latest /t /t\nCOPY --from=build /a /a\nCOPY --from=0 /a /a\n"
             "RUN --mount=type=bind,from=docker.io/library/p-data,target=/d make\n"
             "COPY --from=p-tools:1.2 /other /other\nCOPY --from=outside:3 /o /o\n",
             "api", "build_args = { BASE = \"p-base\" }");
  for (const char* image : {"base", "tools", "data"}) repo.image(image, "FROM scratch\nCOPY . /\n", image);
  const auto read = repo.read({"api"});
  ASSERT_TRUE(read.ok()) << read.error().message;
  const ImageInputs& api = *read->find("api");
  EXPECT_EQ(upstreams_of(api), (Names{"base=p-base", "data=docker.io/library/p-data", "tools=p-tools:latest"}));
  EXPECT_EQ(api.external, (Names{"outside:3", "p-tools:1.2"}));
  Names order;
  for (const ImageInputs& image : read->images) order.push_back(image.name());
  EXPECT_EQ(order.back(), "api");
  EXPECT_EQ(order.size(), 4U);
}

TEST(ImageInputs, AReferenceThatOnlyTheEngineCanCompleteIsRefusedWhereItCouldMeanAnImageOfTheRepo) {
  Repo repo;
  repo.image("base-amd64", "FROM scratch\n", "base");
  repo.image("api", "FROM debian:12-${TARGETARCH}\nFROM p-base-${TARGETARCH}\n", "api");
  const auto read = repo.read();
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kConfig);
  EXPECT_NE(read.error().message.find("api.Dockerfile:2: 'p-base-${TARGETARCH}' could mean image 'base-amd64'"),
            std::string::npos)
      << read.error().message;
  repo.images += "build_args = { TARGETARCH = \"amd64\" }\n";
  const auto given = repo.read();
  ASSERT_TRUE(given.ok()) << given.error().message;
  EXPECT_EQ(upstreams_of(*given->find("api")), (Names{"base-amd64=p-base-amd64"}));
}

TEST(ImageInputs, AnUpstreamImageIsAnInput) {
  Repo repo;
  repo.image("base", "FROM scratch\nCOPY . /\n", "base");
  repo.image("api", "FROM p-base\n", "api");
  repo.image("other", "FROM scratch\n", "api");
  const auto before = repo.read();
  repo.tree.write("base/file", "edited\n");
  const auto after = repo.read();
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_NE(before->find("base")->hash, after->find("base")->hash);
  EXPECT_NE(before->find("api")->hash, after->find("api")->hash);
  EXPECT_EQ(before->find("other")->hash, after->find("other")->hash);
}

TEST(ImageInputs, AStageThatATriggerOfTheBaseAsksForIsAnInput) {
  Repo repo;
  repo.image("tools", "FROM scratch\n", "t");
  repo.image("base", "FROM debian\nONBUILD COPY --from=Builder /t /t\nONBUILD COPY --from=nobody /n /n\n", "b");
  repo.image("app", "FROM p-tools AS builder\nFROM unused AS other\nFROM p-base\n", "a");
  const auto inputs = repo.read({"app"});
  ASSERT_TRUE(inputs.ok()) << inputs.error().message;
  const ImageInputs& app = *inputs->find("app");
  EXPECT_EQ(upstreams_of(app), (Names{"base=p-base", "tools=p-tools"}));
  EXPECT_EQ(app.triggered, std::set<std::string>{"Builder"});
  EXPECT_TRUE(app.external.empty());
}

TEST(ImageInputs, AnAdditionalContextIsAnImageThatTakesAPlace) {
  Repo repo;
  repo.image("tool", "FROM scratch\n", "t");
  repo.image("app", "FROM alpine AS deps\nFROM mine\nCOPY --from=deps / /\n", "a");
  repo.read({"app"}).value();
  config::Settings settings = repo.settings.back();
  config::ImageSettings& app = *std::ranges::find(settings.images, "app", &config::ImageSettings::name);
  app.build_options = {{{"build-context", "deps"}, "docker-image://p-tool"},
                       {{"build-context", "mine"}, "docker-image://busybox:1"}};
  ReadRequest request;
  request.repo = &settings;
  request.images = {"app"};
  request.memo = &*repo.memo;
  request.reporter = &null_reporter();
  const auto inputs = read_images(request);
  ASSERT_TRUE(inputs.ok()) << inputs.error().message;
  const ImageInputs& read = *inputs->find("app");
  EXPECT_EQ(read.own_contexts, (std::map<std::string, std::string>{{"deps", "tool"}}));
  ASSERT_EQ(read.upstreams.size(), 1U);
  EXPECT_EQ(read.upstreams[0].image, "tool");
  EXPECT_EQ(read.external, (Names{"alpine", "busybox:1"})) << "mine is nobody's";
}

TEST(ImageInputs, AContextIsScannedOnceForAllImagesWithTheSameIgnoreFile) {
  Repo repo;
  for (const char* image : {"one", "two", "three"}) repo.image(image, "FROM scratch\nCOPY . /\n", "shared");
  repo.tree.write("three.Dockerfile.dockerignore", "file\n");
  const auto read = repo.read();
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->contexts.size(), 2U);
  EXPECT_EQ(read->find("one")->context, read->find("two")->context);
  EXPECT_NE(read->find("one")->context, read->find("three")->context);
  EXPECT_NE(read->find("one")->context->stage_key, read->find("three")->context->stage_key);
  EXPECT_TRUE(read->find("three")->context->scan.manifest.entries.empty());
  EXPECT_EQ(read->find("one")->hash, read->find("two")->hash);
}

TEST(ImageInputs, EachContextHasItsOwnMemory) {
  Repo repo;
  for (int i = 0; i < 20; ++i) {
    repo.image(fmt::format("i{}", i), "FROM scratch\n", fmt::format("c{}", i));
    repo.tree.write(fmt::format("c{}/own", i), fmt::format("{}\n", i));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(40));  // no file is racy
  const auto first = repo.read();
  ASSERT_TRUE(first.ok()) << first.error().message;
  repo.tree.write("c7/own", "edited\n");
  const auto second = repo.read();
  ASSERT_TRUE(second.ok());
  for (int i = 0; i < 20; ++i) {
    const std::string name = fmt::format("i{}", i);
    EXPECT_EQ(second->find(name)->context->scan.files_read, i == 7 ? 1U : 0U) << name;
    EXPECT_EQ(second->find(name)->hash == first->find(name)->hash, i != 7) << name;
  }
}

TEST(ImageInputs, AnotherReposImagesAreBaseImages) {
  Repo one("one"), two("two");
  one.image("base", "FROM scratch\nCOPY . /\n", "base");
  two.image("base", "FROM scratch\nCOPY . /\n", "base");
  two.image("api", "FROM one-base\nCOPY --from=two-base / /\n", "api");
  const auto first = one.read(), second = two.read();
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(second->find("api")->external, Names{"one-base"});
  EXPECT_EQ(upstreams_of(*second->find("api")), Names{"base=two-base"});
  EXPECT_EQ(first->find("base")->hash, second->find("base")->hash);
  EXPECT_NE(first->find("base")->tag, second->find("base")->tag);
  EXPECT_NE(first->find("base")->context->stage_key, second->find("base")->context->stage_key);
}

TEST(ImageInputs, ACycleNamesItsPathAndOnlyThoseItConcernsMindIt) {
  Repo repo;
  repo.image("a", "FROM p-b\n", "ctx");
  repo.image("b", "FROM scratch\nRUN --mount=from=p-c,target=/c true\n", "ctx");
  repo.image("c", "FROM scratch\nCOPY --from=p-a / /\n", "ctx");
  repo.image("free", "FROM scratch\n", "ctx");
  const auto read = repo.read();
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kConfig);
  EXPECT_EQ(read.error().message, "images depend on each other: a -> b -> c -> a");
  EXPECT_NE(read.error().hint.find("settings.toml"), std::string::npos);
  EXPECT_TRUE(repo.read({"free"}).ok());
}

}  // namespace
}  // namespace otto::images
