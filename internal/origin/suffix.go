package origin

import (
	"net/http/cookiejar"
	"strings"
)

// PublicSuffix returns a domain under which anybody can register names that p,
// which has a wildcard, allows; or what precedes the "*", if anybody can have
// such a host. Otherwise ok is false. If list is nil, a single label is taken
// for a public suffix, as is what this package knows itself.
//
// Nobody can register a name under localhost (RFC 6761, section 6.3).
func (p Pattern) PublicSuffix(list cookiejar.PublicSuffixList) (suffix string, ok bool) {
	host := strings.TrimSuffix(p.Host, ".")
	switch {
	case p.Wildcard == None || host == "localhost":
		return "", false
	case p.Wildcard == AnyHost:
		return p.Scheme + "://", true
	case list != nil:
		// The list may have a "*" of its own in place of the next label, as it
		// has for all names of two labels under kobe.jp.
		return host, len(list.PublicSuffix("a."+host)) >= len(host)
	case !strings.Contains(host, "."):
		return host, true
	}
	return host, strings.Contains(KnownSuffixes, " "+host+" ")
}

// KnownSuffixes are the public suffixes that this package knows itself, each
// between spaces: those that patterns are most often written for. A test holds
// each against the Public Suffix List. amazonaws.com is above many of them, such
// as s3.amazonaws.com.
const KnownSuffixes = " " +
	"ac.jp ac.nz ac.uk ac.za co.at co.id co.il co.in co.jp co.ke co.kr co.nz co.th co.uk co.za " +
	"com.ar com.au com.br com.cn com.co com.eg com.es com.gr com.hk com.mx com.my com.ng com.pe com.ph com.pk com.pl com.pt com.sa com.sg com.tr com.tw com.ua com.ve com.vn " +
	"me.uk ne.jp net.au net.br net.cn net.in net.nz net.uk or.jp or.kr org.au org.br org.cn org.in org.nz org.uk org.za " +
	"br.com cn.com co.com de.com eu.com eu.org uk.com us.com " +
	"amazonaws.com amplifyapp.com appspot.com azure-api.net azureedge.net azurefd.net azurestaticapps.net azurewebsites.net blob.core.windows.net " +
	"cloudapp.net cloudfront.net cloudfunctions.net elasticbeanstalk.com firebaseapp.com run.app s3.amazonaws.com trafficmanager.net web.app withgoogle.com " +
	"bitbucket.io blogspot.com bolt.host bubbleapps.io cleverapps.io codeberg.page convex.site csb.app ddns.net deno.dev deno.net duckdns.org " +
	"fly.dev framer.app framer.website github.io githubusercontent.com gitlab.io herokuapp.com hf.space lovable.app myshopify.com " +
	"netlify.app ngrok-free.app ngrok-free.dev ngrok.app ngrok.dev ngrok.io notion.site now.sh ondigitalocean.app onrender.com " +
	"pages.dev pythonanywhere.com r2.dev readthedocs.io repl.co replit.app replit.dev streamlit.app supabase.co synology.me translate.goog trycloudflare.com " +
	"up.railway.app vercel.app vercel.dev webflow.io wixsite.com workers.dev zeabur.app "
