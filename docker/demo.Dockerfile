# The demo of every model, for one machine:
#     docker build -f docker/demo.Dockerfile -t layerzoo-demo .
#     docker run --rm -p 127.0.0.1:7860:7860 -v layerzoo:/home/zoo/.cache layerzoo-demo
# For strangers name the model, as docs/security.md says: `docker run ... layerzoo-demo tf_efficientnet_lite0 --host 0.0.0.0`.
# Checked by hadolint; no image was built from it yet.
FROM python:3.13-slim
RUN useradd --create-home --uid 1000 zoo
WORKDIR /source
COPY . .
# hadolint ignore=DL3013
RUN pip install --no-cache-dir '.[demo]' && rm -rf /source/*
USER 1000
WORKDIR /home/zoo
ENTRYPOINT ["zoo", "demo"]
CMD ["--host", "0.0.0.0"]
