// For `node --import`: the negative control. Every database is flushed as SQLite's NORMAL has it, and a power cut must
// be seen to punish that. The journal itself has no such switch.
const hasNodeSqlite = Number(process.versions.node.split('.')[0]) >= 22
const { default: Libsql } = await import('libsql')
const drivers = hasNodeSqlite ? [Libsql, (await import('node:sqlite')).DatabaseSync] : [Libsql]

for (const { prototype } of drivers) {
  const { exec } = prototype
  prototype.exec = function (sql) {
    return exec.call(this, sql.replace('synchronous=FULL', 'synchronous=NORMAL'))
  }
}
