# docker build -t bitlaw . && docker run --rm -v "$PWD/results:/bitlaw/results" bitlaw run experiments/configs/quickstart.yaml
FROM debian:12
WORKDIR /bitlaw
COPY . .
RUN scripts/setup.sh release && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["build/release/bitlaw"]
CMD ["--help"]
