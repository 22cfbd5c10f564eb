# One image for every process of Racine; what runs is the command.
FROM python:3.13-slim AS build
COPY --from=ghcr.io/astral-sh/uv:0.13 /uv /usr/local/bin/uv
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --locked --no-default-groups --group server --no-install-project
COPY . .
RUN uv sync --locked --no-default-groups --group server --no-editable
# Each run imports its workflow anew, and the image's user may write no bytecode beside it.
RUN .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash -x /\.venv/ .

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /var/lib/racine racine
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 RACINE_DATA_DIR=/var/lib/racine
# Gives the 19 MB of each password's check back: by itself glibc keeps them for the next one.
ENV MALLOC_MMAP_THRESHOLD_=4194304
USER racine
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "--factory", "api.app:create_app", "--host", "0.0.0.0", "--port", "8000", "--timeout-keep-alive", "75"]
