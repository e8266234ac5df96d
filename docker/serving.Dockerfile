# A model for TensorFlow Serving, whose REST port is 8501:
#     docker build -f docker/serving.Dockerfile --build-arg MODEL=tf_efficientnet_lite0 -t photos .
#     docker run --rm -p 8501:8501 photos
# Checked by hadolint; no image was built from it yet.
FROM python:3.13-slim AS export
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir .
ARG MODEL=tf_efficientnet_lite0
RUN zoo export "$MODEL" -o /served && mv "/served/$(ls /served)" /served/model

FROM tensorflow/serving:2.19.1
COPY --from=export /served /models
ENV MODEL_NAME=model
