package origin

import (
	"net/http/cookiejar"
	"strings"
)

// PublicSuffix returns a domain under which anyone can register names that p
// allows. If p allows every host of its scheme, it returns the scheme with
// "://". If there is no such domain, ok is false.
//
// A domain is a public suffix if it is a single label, or if it is in
// RegistrySuffixes, PlatformSuffixes or list, which can be nil. If p allows any
// subdomain, the suffixes below its domain also count. Only the domain itself
// is looked up in list, because a list cannot be searched for subdomains.
//
// No one can register a name under localhost (RFC 6761, section 6.3).
func (p Pattern) PublicSuffix(list cookiejar.PublicSuffixList) (suffix string, ok bool) {
	host := strings.TrimSuffix(p.Host, ".")
	switch {
	case p.Wildcard == None || host == "localhost":
		return "", false
	case p.Wildcard == AnyHost:
		return p.Scheme + "://", true
	case !strings.Contains(host, "."):
		return host, true
	}
	for rule := range strings.SplitSeq(RegistrySuffixes+PlatformSuffixes, " ") {
		suffix, ok := matchRule(rule, host)
		if ok && (suffix == host || p.Wildcard == Subdomains) {
			return suffix, true
		}
	}
	// The list can have a rule with a "*" for the next label. For example, all
	// names of two labels under kobe.jp are public suffixes.
	return host, list != nil && len(list.PublicSuffix("a."+host)) >= len(host)
}

// matchRule reports whether rule makes host, or a domain under host, a public
// suffix. It returns that suffix without a "*" at its beginning.
func matchRule(rule, host string) (suffix string, ok bool) {
	above, domain := rule, host // labels that are not compared yet
	for {
		i, j := strings.LastIndexByte(above, '.'), strings.LastIndexByte(domain, '.')
		if label := above[i+1:]; label != "*" && label != domain[j+1:] {
			return "", false
		}
		above = above[:max(i, 0)]
		if j < 0 {
			break
		}
		if i < 0 {
			return "", false
		}
		domain = domain[:j]
	}
	suffix = above + "." + host
	for strings.HasPrefix(suffix, "*.") {
		suffix = suffix[len("*."):]
	}
	return strings.TrimPrefix(suffix, "."), true
}

// IsReserved reports whether suffix is reserved for private use, so no registry
// has names under it (RFC 6761, RFC 6762, RFC 8375; ICANN reserved internal).
func IsReserved(suffix string) bool {
	switch suffix {
	case "localhost", "internal", "local", "test", "home.arpa":
		return true
	}
	return false
}

// isUnderRegistry reports whether p allows part of a label directly under a
// registry. A registry is a single label, such as com, or one of
// RegistrySuffixes. Such a pattern is nearly always a typo for one with "*.".
func (p Pattern) isUnderRegistry() bool {
	host := strings.TrimSuffix(p.Host, ".")
	return p.Wildcard == Within && !IsReserved(host) && (!strings.Contains(host, ".") || strings.Contains(RegistrySuffixes, " "+host+" "))
}

// RegistrySuffixes are public suffixes of domain registries, with a space
// before and after each. The list is incomplete. It has the ones that appear
// most often in patterns.
const RegistrySuffixes = " " +
	"ac.jp ac.nz ac.uk ac.za co.at co.id co.il co.in co.jp co.ke co.kr co.nz co.th co.uk co.za " +
	"com.ar com.au com.br com.cn com.co com.eg com.es com.gr com.hk com.mx com.my com.ng com.pe com.ph com.pk com.pl com.pt com.sa com.sg com.tr com.tw com.ua com.ve com.vn " +
	"me.uk ne.jp net.au net.br net.cn net.in net.nz net.uk or.jp or.kr org.au org.br org.cn org.in org.nz org.uk org.za " +
	"br.com cn.com co.com de.com eu.com eu.org uk.com us.com "

// PlatformSuffixes are public suffixes of platforms that give a name to every
// user, with a space after each. The list is incomplete. It has the ones that
// appear most often in patterns. A "*" is any label. With a "*", one rule covers
// all regions of a platform. It can cover more names than the rules of the Public
// Suffix List.
const PlatformSuffixes = "" +
	"s3.amazonaws.com *.amazonaws.com *.compute.amazonaws.com *.compute-1.amazonaws.com *.elb.amazonaws.com *.*.airflow.amazonaws.com *.*.rds.amazonaws.com " +
	"execute-api.*.amazonaws.com emrappui-prod.*.amazonaws.com emrnotebooks-prod.*.amazonaws.com emrstudio-prod.*.amazonaws.com analytics-gateway.*.amazonaws.com " +
	"s3.*.amazonaws.com s3-accesspoint.*.amazonaws.com s3-accesspoint-fips.*.amazonaws.com s3-fips.*.amazonaws.com s3-object-lambda.*.amazonaws.com s3-website.*.amazonaws.com s3-deprecated.*.amazonaws.com " +
	"s3.dualstack.*.amazonaws.com s3-accesspoint.dualstack.*.amazonaws.com s3-accesspoint-fips.dualstack.*.amazonaws.com s3-fips.dualstack.*.amazonaws.com s3-website.dualstack.*.amazonaws.com mrap.accesspoint.s3-global.amazonaws.com " +
	"vfs.cloud9.*.amazonaws.com webview-assets.cloud9.*.amazonaws.com webview-assets.aws-cloud9.*.amazonaws.com " +
	"lambda-url.*.on.aws transfer-webapp.*.on.aws transfer-webapp-fips.*.on.aws *.airflow.*.on.aws amplifyapp.com *.awsapprunner.com cloudfront.net elasticbeanstalk.com " +
	"azure-api.net azureedge.net azurefd.net azurestaticapps.net *.azurestaticapps.net azurewebsites.net *.azurecontainerapps.io cloudapp.net *.cloudapp.azure.com trafficmanager.net " +
	"blob.core.windows.net file.core.windows.net web.core.windows.net servicebus.windows.net *.devtunnels.ms app.github.dev " +
	"appspot.com *.r.appspot.com cloudfunctions.net firebaseapp.com *.hosted.app *.run.app *.mtls.run.app translate.goog *.usercontent.goog web.app withgoogle.com " +
	"base44.app bitbucket.io blogspot.com bolt.host bubbleapps.io canva-apps.com cleverapps.io codeberg.page convex.site csb.app " +
	"ddns.net deno.dev deno.net *.digitaloceanspaces.com discordsays.com duckdns.org fly.dev framer.app framer.website " +
	"github.io githubusercontent.com gitlab.io gitpod.io *.gitpod.io herokuapp.com hf.space loca.lt lovable.app lovableproject.com myshopify.com " +
	"netlify.app ngrok-free.app ngrok-free.dev ngrok.app ngrok.dev ngrok.io nip.io notion.site now.sh ondigitalocean.app onrender.com " +
	"pages.dev pythonanywhere.com r2.dev readthedocs.io repl.co id.repl.co replit.app replit.dev *.replit.dev sslip.io streamlit.app supabase.co supabase.in surge.sh synology.me " +
	"trycloudflare.com ts.net *.c.ts.net up.railway.app vercel.app vercel.dev vusercontent.net webflow.io wixsite.com wordpress.com workers.dev zeabur.app "
