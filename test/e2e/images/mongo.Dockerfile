# Stand-in for mongo:6.0: the MongoDB protocol on 27017, data in /data/db, user 999.
FROM postgres:16
RUN mkdir -p /data/db /data/configdb && chown -R 999:999 /data
COPY mongo-wire mongo-entrypoint /usr/local/bin/
VOLUME ["/data/db", "/data/configdb"]
EXPOSE 27017
ENTRYPOINT ["mongo-entrypoint"]
CMD ["mongod"]
