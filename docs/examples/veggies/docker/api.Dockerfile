# `FROM veggies-base` is otto's own image `base`, pinned to the hash that it has now.
FROM veggies-base AS build
WORKDIR /build
COPY src/ src/
ARG SEASON=any
RUN sh src/tools/assemble.sh src out "$SEASON"

FROM veggies-base AS prod
ARG VERSION=0
COPY --from=build /build/out/ /srv/api/
RUN printf '%s\n' "$VERSION" > /srv/api/www/version.txt
EXPOSE 8080
CMD ["/srv/api/bin/serve"]

# Not built: the target is prod.
FROM prod AS debug
RUN printf 'debug\n' > /srv/api/www/debug.txt
