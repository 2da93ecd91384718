/**
 * The styles of a page. Nothing depends on them: without any (a server may strip them) the page is headings, tables and
 * pictures that carry their own colours. Dark follows the system and is never printed.
 */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--muted:#57606a;--line:#d0d7de;--shade:#eaeef2;--ok:#1a7f4b;--bad:#b3261e;--doubt:#8a5a00;--accent:#0b5cad;--void:#6e7781;--card:#f6f8fa}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e6e8ea;--muted:#a7b1bb;--line:#3a424a;--shade:#2a3138;--ok:#4cc38a;--bad:#ff8a80;--doubt:#e3b341;--accent:#79b8ff;--void:#8b949e;--card:#1d2227}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:62rem;margin:0 auto;padding:1rem}
h1,h2,h3{line-height:1.25}
h1{font-size:1.55rem;margin:.4rem 0 .8rem}
h2{font-size:1.25rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
h3{font-size:1.05rem;margin:1.4rem 0 .4rem}
article+article{margin-top:4rem;border-top:4px solid var(--line);padding-top:1rem}
.stamp{color:var(--muted);font-size:.85rem;margin:0}
.badge{display:inline-block;font-size:.8rem;letter-spacing:.04em;padding:.1rem .5rem;border:2px solid currentColor;border-radius:.3rem;vertical-align:.2em;margin-right:.4rem}
.valid{color:var(--ok)}.suspect{color:var(--doubt)}.invalid{color:var(--bad)}
.good{color:var(--ok)}.bad{color:var(--bad)}.doubtful{color:var(--doubt)}
.plan{font-size:1.1rem}.plan strong{font-size:2.6rem;line-height:1.1}
.doubt{border-left:4px solid var(--doubt);padding:.2rem 0 .2rem .8rem;margin:.6rem 0}
.quote{margin:1rem 0;padding:.8rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.4rem}
.quote blockquote{margin:.3rem 0 0;font-size:1.05rem}
.quote figcaption{font-weight:400;color:var(--muted);font-size:.85rem}
figure{margin:1.2rem 0;break-inside:avoid}
figcaption{font-weight:600;margin-bottom:.3rem}
.plot,.wide{overflow-x:auto}
.plot svg{display:block;width:100%;min-width:32rem;max-width:60rem;height:auto;border:1px solid var(--line);border-radius:.3rem}
table{border-collapse:collapse;overflow-wrap:normal;font-size:.92rem;margin:.4rem 0}
caption{text-align:left;color:var(--muted)}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:.5rem 0}
dt{color:var(--muted);grid-column:1}dd{margin:0;grid-column:2}
pre{background:var(--card);border:1px solid var(--line);border-radius:.3rem;padding:.6rem .8rem;overflow-x:auto;font-size:.85rem;white-space:pre-wrap;overflow-wrap:anywhere}
summary{cursor:pointer;color:var(--accent)}
a{color:var(--accent)}
.note{color:var(--muted);font-size:.88rem}
:target{outline:3px solid var(--accent);outline-offset:4px}
.f-paper{fill:var(--paper)}.f-ink{fill:var(--ink)}.f-muted{fill:var(--muted)}.f-ok{fill:var(--ok)}.f-bad{fill:var(--bad)}.f-doubt{fill:var(--doubt)}.f-line{fill:var(--line)}.f-shade{fill:var(--shade)}.f-accent{fill:var(--accent)}.f-void{fill:var(--void)}
.s-ink{stroke:var(--ink)}.s-muted{stroke:var(--muted)}.s-ok{stroke:var(--ok)}.s-bad{stroke:var(--bad)}.s-doubt{stroke:var(--doubt)}.s-line{stroke:var(--line)}.s-accent{stroke:var(--accent)}.s-void{stroke:var(--void)}
@media (max-width:40rem){dl{display:block}dd{margin-bottom:.4rem}h1{font-size:1.25rem}}
@media print{main{max-width:none;padding:0}body{font-size:11pt}.plot,.wide{overflow:visible}.plot svg{min-width:0;max-width:17cm}h2,h3{break-after:avoid}tr,.quote{break-inside:avoid}details::details-content{content-visibility:visible;display:block;block-size:auto}summary{color:var(--ink);font-weight:600;list-style:none}}
`;
